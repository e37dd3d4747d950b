import { KnownHeader, type RequestHead } from '@weft/http-codec';
import { hostOfPath, rewrittenPath } from '../../route/rewrite.ts';
import type { CompiledRoute } from '../../route/route-table.ts';
import type { ForwardAction } from '../../runtime-config/config.ts';
import type { HttpStream } from './http-stream.ts';
import { retryPolicyFromFields } from './retry-fields.ts';
import { prepareTimeouts, tellTimeLeft } from './upstream-timeouts.ts';

const attemptCount = 'x-envoy-attempt-count';
const forwardedHost = 'x-forwarded-host';

/** What the route and Envoy's router do with the head of a request before it goes out: edits, rewrites, fields of the router. */
export function prepareUpstreamRequest(stream: HttpStream, route: CompiledRoute, head: RequestHead): void {
  const { info, choice, manager, table } = stream;
  const action = route.forward;
  if (action === undefined || choice === undefined || table === undefined) {
    return;
  }
  let policy = prepareTimeouts(stream, route, action.retryPolicy ?? route.virtualHost.retryPolicy);
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
  const { head, info, virtualHostConfig, retries } = stream;
  if (virtualHostConfig?.includeRequestAttemptCount === true) {
    head.set(attemptCount, String(info.attemptCount + 1));
  }
  if (virtualHostConfig?.includeIsTimeoutRetry === true) {
    head.set('x-envoy-is-timeout-retry', String(retries.afterTimeout));
  }
  tellTimeLeft(stream);
}
