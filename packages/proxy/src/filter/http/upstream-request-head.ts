import { KnownHeader, type RequestHead } from '@weft/http-codec';
import { hostOfPath, rewrittenPath } from '../../route/rewrite.ts';
import type { CompiledRoute } from '../../route/route-table.ts';
import type { ForwardAction } from '../../runtime-config/config.ts';
import type { RetryPolicy } from '../../runtime-config/retry-policy.ts';
import { grpcTimeoutMs } from './grpc/grpc-request.ts';
import type { HttpStream } from './http-stream.ts';
import { noPolicy, retryPolicyFromFields } from './retry-fields.ts';

const expectedTimeout = 'x-envoy-expected-rq-timeout-ms';
const attemptCount = 'x-envoy-attempt-count';
const forwardedHost = 'x-forwarded-host';

/** What the route and Envoy's router do with the head of a request before it goes out: edits, rewrites, fields of the router. */
export function prepareUpstreamRequest(stream: HttpStream, route: CompiledRoute, head: RequestHead): void {
  const { info, choice, manager, table } = stream;
  const action = route.forward;
  if (action === undefined || choice === undefined || table === undefined) {
    return;
  }
  let policy = action.retryPolicy ?? route.virtualHost.retryPolicy;
  const grpcBoundMs = info.isGrpc ? action.maxGrpcTimeoutMs : undefined;
  stream.timeoutMs = grpcBoundMs === undefined ? action.timeoutMs : boundedGrpcTimeoutMs(head, grpcBoundMs);
  if (stream.isInternal) {
    policy = takeTimeouts(stream, policy);
  } else if (!manager.config.suppressEnvoyHeaders) {
    const expected = grpcBoundMs === undefined ? route.expectedTimeout : expectedOf(stream.timeoutMs, policy);
    if (expected !== undefined) {
      head.addClean(expectedTimeout, expected);
    }
  }
  if (grpcBoundMs !== undefined) {
    const expected = expectedOf(stream.timeoutMs, policy);
    if (expected !== undefined) {
      head.set('grpc-timeout', `${expected}m`);
    }
  }
  const edited = choice.requestEdits.length + choice.firstRequestEdits.length > 0 || table.editsRequests;
  if (edited) {
    table.editRequest(choice, head, info);
  }
  if (edited || stream.isInternal) {
    policy = retryPolicyFromFields(policy, head);
    if (head.has('x-envoy-upstream-rq-timeout-alt-response')) {
      head.remove('x-envoy-upstream-rq-timeout-alt-response');
      stream.timeoutIsEmptyAnswer = true;
    }
    head.remove('x-envoy-upstream-alt-stat-name');
  }
  stream.retries.begin(policy, stream);
  const { path } = head;
  rewritePath(stream, route);
  if (manager.config.via !== '') {
    head.add('via', manager.config.via);
  }
  rewriteHostByRoute(stream, action.hostRewrite, choice.config.hostRewrite, path);
  if (route.virtualHost.includeRequestAttemptCount) {
    head.set(attemptCount, '1');
  }
}

/** How long a call of gRPC may take: what it says, or the bound; 0 = without end. */
function boundedGrpcTimeoutMs(head: RequestHead, boundMs: number): number {
  const askedMs = Math.ceil(grpcTimeoutMs(head) ?? 0);
  return boundMs > 0 && (askedMs === 0 || askedMs > boundMs) ? boundMs : askedMs;
}

/** The time that a try has, in milliseconds; undefined: without end. */
function expectedOf(timeoutMs: number, policy: RetryPolicy | undefined): string | undefined {
  const perTryMs = policy?.perTryTimeoutMs ?? 0;
  const expected = perTryMs > 0 && (timeoutMs === 0 || perTryMs < timeoutMs) ? perTryMs : timeoutMs;
  return expected > 0 ? String(expected) : undefined;
}

/**
 * How long the request of an internal client may take, and each try, if its fields say so; and `x-envoy-expected-rq-timeout-ms` of it.
 * What header edits of the route put there later is not heard, as in Envoy.
 */
function takeTimeouts(stream: HttpStream, policy: RetryPolicy | undefined): RetryPolicy | undefined {
  const { head, manager } = stream;
  stream.timeoutMs = takeMilliseconds(head, 'x-envoy-upstream-rq-timeout-ms') ?? stream.timeoutMs;
  const { timeoutMs } = stream;
  const asked = takeMilliseconds(head, 'x-envoy-upstream-rq-per-try-timeout-ms');
  const perTryMs = asked ?? policy?.perTryTimeoutMs ?? 0;
  const expected = perTryMs > 0 && (timeoutMs === 0 || perTryMs < timeoutMs) ? perTryMs : timeoutMs;
  if (!manager.config.suppressEnvoyHeaders && expected > 0) {
    head.set(expectedTimeout, String(expected));
  }
  // Without a policy it holds for the only try.
  return asked === undefined ? policy : { ...(policy ?? { ...noPolicy, numRetries: 0 }), perTryTimeoutMs: asked };
}

function takeMilliseconds(head: RequestHead, name: string): number | undefined {
  const text = head.getFirst(name);
  if (text === undefined) {
    return undefined;
  }
  head.remove(name);
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

/** @param ofCluster comes first, that of the route has the last word. @param path as it came. */
function rewriteHostByRoute(
  stream: HttpStream,
  rewrite: ForwardAction['hostRewrite'],
  ofCluster: string | undefined,
  path: string,
): void {
  if (ofCluster !== undefined) {
    rewriteHost(stream, ofCluster);
  }
  switch (rewrite?.kind) {
    case 'literal':
      rewriteHost(stream, rewrite.value);
      break;
    case 'header': {
      const value = stream.head.get(rewrite.name);
      if (value !== undefined && value !== '') {
        rewriteHost(stream, value);
      }
      break;
    }
    case 'path-regex':
      rewriteHost(stream, hostOfPath(path, rewrite.regex, rewrite.substitution));
      break;
    default:
  }
}

/** A rewrite that is configured is told of even where it leaves the path as it is. */
function rewritePath({ head, info, manager }: HttpStream, route: CompiledRoute): void {
  const before = head.path;
  const path = rewrittenPath(route, before);
  if (route.rewritesPath && !manager.config.suppressEnvoyHeaders) {
    head.set('x-envoy-original-path', before);
  }
  if (path !== before) {
    head.setPath(path);
  }
  info.upstreamPath = path;
}

/** Gives the request another authority, and tells the upstream the one before. */
export function rewriteHost({ head, manager, route }: HttpStream, host: string): void {
  const before = head.authority;
  if (route?.forward?.appendXForwardedHost === true && before !== '') {
    const list = head.getKnown(KnownHeader.xForwardedHost, forwardedHost);
    if (list === undefined || list === '') {
      head.set(forwardedHost, before);
    } else if (list.slice(list.lastIndexOf(',') + 1) !== before) {
      head.set(forwardedHost, `${list},${before}`);
    }
  }
  if (!manager.config.suppressEnvoyHeaders) {
    head.set('x-envoy-original-host', before);
  }
  if (host !== before) {
    head.setAuthority(host);
  }
}

/** The fields that a request has when it is sent again. */
export function prepareRepeatedRequest(stream: HttpStream): void {
  const { head, info, manager, route, virtualHostConfig, retries } = stream;
  if (virtualHostConfig?.includeRequestAttemptCount === true) {
    head.set(attemptCount, String(info.attemptCount + 1));
  }
  if (virtualHostConfig?.includeIsTimeoutRetry === true) {
    head.set('x-envoy-is-timeout-retry', String(retries.afterTimeout));
  }
  const total = stream.timeoutMs;
  if (total > 0 && !manager.config.suppressEnvoyHeaders && route?.expectedTimeout !== undefined) {
    const elapsed = info.requestEndMs === 0 ? 0 : Math.floor(stream.nowMs() - info.requestEndMs);
    // 0 would mean that there is no limit.
    head.set(expectedTimeout, String(Math.max(1, Math.min(Number(route.expectedTimeout), total - elapsed))));
  }
}
