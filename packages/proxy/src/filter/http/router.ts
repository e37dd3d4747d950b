import { KnownHeader, type RequestHead, type ResponseHead, releaseResponseHead } from '@weft/http-codec';
import type { Endpoint } from '../../endpoint/endpoint.ts';
import {
  clusterNotFound,
  directResponse,
  type LocalReply,
  localReplies,
  type ResetReason,
  redirectReply,
  resetFlags,
  upstreamReset,
} from '../../local-reply.ts';
import type { UpstreamHttpConnection } from '../../pool/upstream-http-connection.ts';
import { ResponseFlag } from '../../response-flag.ts';
import { applyHeaderEdits } from '../../route/header-edits.ts';
import { redirectLocation, rewrittenPath } from '../../route/rewrite.ts';
import { type CompiledRoute, chooseCluster } from '../../route/route-table.ts';
import { FilterStatus, type FilterStatusCode } from './filter-status.ts';
import { grpcTimeoutMs } from './grpc/grpc-request.ts';
import type { HttpStream } from './http-stream.ts';
import { isIdempotent, retryDelayMs, wouldRetryFailure, wouldRetryResponse } from './retry.ts';
import { StreamTimer } from './stream-timer.ts';
import type { TryFailure } from './try-failure.ts';
import type { UpstreamAttempt } from './upstream-attempt.ts';

/** The terminal filter: answers by the route, or prepares the request and begins the first try. */
export function startRouting(stream: HttpStream): FilterStatusCode {
  const { route } = stream;
  if (route === undefined) {
    stream.reply(localReplies.routeNotFound);
    return FilterStatus.replied;
  }
  const { action } = route.config;
  if (requiresTls(stream, route)) {
    const { head, info } = stream;
    stream.reply(redirectReply(301, `https://${head.authority}${info.path}`));
    return FilterStatus.replied;
  }
  if (action.kind === 'redirect') {
    const { redirect } = action;
    stream.reply(redirectReply(redirect.status, redirectLocation(redirect, route, stream.head, stream.info.scheme)));
    return FilterStatus.replied;
  }
  if (action.kind === 'direct-response') {
    stream.reply(directResponse(action.status, action.body));
    return FilterStatus.replied;
  }
  return forward(stream, route);
}

function requiresTls(stream: HttpStream, route: CompiledRoute): boolean {
  // No address counts as internal, so "external only" is everybody.
  return route.virtualHost.requireTls !== 'none' && stream.info.scheme !== 'https';
}

function forward(stream: HttpStream, route: CompiledRoute): FilterStatusCode {
  const { context } = stream.manager;
  const action = route.forward;
  const point = route.clusters.length > 1 ? context.random() * route.totalWeight : 0;
  const choice = chooseCluster(route, point);
  if (action === undefined || choice === undefined) {
    stream.reply(localReplies.noHealthyUpstream);
    return FilterStatus.replied;
  }
  stream.choice = choice;
  const { info, head } = stream;
  info.clusterName = choice.config.cluster;
  const cluster = context.clusters.get(choice.config.cluster);
  if (cluster === undefined) {
    stream.reply(clusterNotFound(action.clusterNotFoundStatus));
    return FilterStatus.replied;
  }
  stream.cluster = cluster;
  info.cluster = cluster.config;
  stream.retries.begin(action.retryPolicy ?? route.virtualHost.retryPolicy);
  prepareRequest(stream, route, head);
  if (action.idleTimeoutMs !== undefined) {
    stream.touch();
  }
  if (!limitDuration(stream)) {
    return FilterStatus.replied;
  }
  if (!stream.requestComplete) {
    if (head.expectContinue) {
      stream.response.sendContinue();
    }
    stream.holdRequest();
  }
  startTry(stream);
  return stream.finished || stream.response.started ? FilterStatus.replied : FilterStatus.stop;
}

/** Arms the limit of the request's life. @returns false when it is over already. */
function limitDuration(stream: HttpStream): boolean {
  const { info, manager, head } = stream;
  const limit = stream.route?.forward?.maxStreamDuration;
  let maxMs = limit?.maxMs ?? manager.config.maxStreamDurationMs;
  const grpcTimeout = limit?.grpcTimeoutMaxMs === undefined ? undefined : grpcTimeoutMs(head);
  if (limit?.grpcTimeoutMaxMs !== undefined && grpcTimeout !== undefined) {
    const bound = limit.grpcTimeoutMaxMs;
    const asked = bound > 0 && (grpcTimeout > bound || grpcTimeout === 0) ? bound : grpcTimeout;
    maxMs = asked - limit.grpcTimeoutOffsetMs;
    if (maxMs <= 0) {
      manager.counters.maxDurationReached += 1;
      stream.reply(localReplies.maxStreamDuration);
      return false;
    }
  }
  if (maxMs > 0) {
    stream.armAt(StreamTimer.duration, info.startMs, maxMs);
  }
  return true;
}

/** Header edits of the route, path and host rewrite, and what Envoy's router adds. */
function prepareRequest(stream: HttpStream, route: CompiledRoute, head: RequestHead): void {
  const { info, choice, manager } = stream;
  const action = route.forward;
  if (action === undefined || choice === undefined) {
    return;
  }
  const suppress = manager.config.suppressEnvoyHeaders;
  if (!suppress && route.expectedTimeout !== undefined) {
    head.addClean('x-envoy-expected-rq-timeout-ms', route.expectedTimeout);
  }
  if (choice.requestEdits.length > 0) {
    applyHeaderEdits(choice.requestEdits, head, info);
  }
  const path = rewrittenPath(route, head.path);
  if (path !== head.path) {
    if (!suppress) {
      head.set('x-envoy-original-path', head.path);
    }
    head.setPath(path);
  }
  info.upstreamPath = path;
  if (manager.config.via !== '') {
    head.add('via', manager.config.via);
  }
  if (action.hostRewrite?.kind === 'literal') {
    rewriteHost(stream, action.hostRewrite.value, action.appendXForwardedHost);
  } else if (action.hostRewrite?.kind === 'header') {
    const value = head.get(action.hostRewrite.name);
    if (value !== undefined && value !== '') {
      rewriteHost(stream, value, action.appendXForwardedHost);
    }
  }
  if (route.virtualHost.includeRequestAttemptCount) {
    head.set('x-envoy-attempt-count', '1');
  }
}

function rewriteHost(stream: HttpStream, host: string, append: boolean): void {
  const { head } = stream;
  if (host === head.authority) {
    return;
  }
  if (append) {
    const before = head.getKnown(KnownHeader.xForwardedHost, 'x-forwarded-host');
    head.set('x-forwarded-host', before === undefined ? head.authority : `${before},${head.authority}`);
  }
  head.setAuthority(host);
}

/** Chooses an endpoint and sends the request there, or answers that it cannot. */
function startTry(stream: HttpStream): void {
  const { cluster, info, attempt } = stream;
  if (cluster === undefined) {
    return;
  }
  const endpoint = pickEndpoint(stream);
  if (endpoint === undefined) {
    fail(stream, localReplies.noHealthyUpstream);
    return;
  }
  info.endpoint = endpoint;
  info.attemptCount += 1;
  if (stream.retries.policy?.avoidPreviousHosts === true) {
    stream.retries.triedEndpoints.push(endpoint);
  }
  const action = stream.route?.forward;
  if (action?.hostRewrite?.kind === 'auto' && endpoint.config.hostname !== '') {
    rewriteHost(stream, endpoint.config.hostname, action.appendXForwardedHost);
  }
  const breaker = cluster.breaker(action?.priority ?? 'default');
  if (!attempt.start(cluster, endpoint, breaker)) {
    cluster.counters.requestsPendingOverflow += 1;
    onTryFailed(stream, 'overflow', 'overflow', '');
  }
}

function pickEndpoint(stream: HttpStream): Endpoint | undefined {
  const { cluster, retries } = stream;
  const { policy: retryPolicy, triedEndpoints } = retries;
  let endpoint = cluster?.pick();
  if (retryPolicy?.avoidPreviousHosts === true && triedEndpoints.length > 0) {
    for (let again = 0; again < retryPolicy.hostSelectionRetryMaxAttempts; again += 1) {
      if (endpoint === undefined || !triedEndpoints.includes(endpoint)) {
        break;
      }
      endpoint = cluster?.pick();
    }
  }
  return endpoint;
}

/** A connection is there: the head and what is known of the body go out. */
export function onTryReady(stream: HttpStream, attempt: UpstreamAttempt, upstream: UpstreamHttpConnection): void {
  const { info, head, body } = stream;
  const encoder = attempt.encoder;
  if (encoder === undefined) {
    return;
  }
  const nowMs = stream.nowMs();
  info.upstreamRequestStartMs = nowMs;
  info.upstreamLocalAddress = upstream.connection.localAddress;
  info.upstreamTls = upstream.connection.tls;
  if (stream.requestComplete) {
    armPerTry(stream, nowMs);
  }
  const bodyless = !head.hasBody;
  if (upstream.multiplexed) {
    head.targetScheme = info.scheme;
  }
  encoder.encodeRequest(head, bodyless);
  if (bodyless) {
    attempt.requestSent = true;
    info.upstreamRequestEndMs = nowMs;
  } else {
    body.replay(encoder);
    if (stream.requestComplete) {
      encoder.encodeEnd(body.trailers);
      attempt.requestSent = true;
      info.upstreamRequestEndMs = nowMs;
    }
  }
  stream.releaseRequest();
}

/** The request is complete: the timeouts that begin there are armed. */
export function onRequestComplete(stream: HttpStream): void {
  const action = stream.route?.forward;
  if (action !== undefined && action.timeoutMs > 0) {
    stream.arm(StreamTimer.route, action.timeoutMs);
  }
  if (stream.attempt.upstream !== undefined) {
    armPerTry(stream, stream.nowMs());
  }
}

function armPerTry(stream: HttpStream, nowMs: number): void {
  const { policy: retryPolicy } = stream.retries;
  if (retryPolicy === undefined) {
    return;
  }
  const total = stream.route?.forward?.timeoutMs ?? 0;
  const perTry = retryPolicy.perTryTimeoutMs;
  if (perTry > 0 && (total === 0 || perTry < total)) {
    stream.armAt(StreamTimer.perTry, nowMs, perTry);
  }
  if (retryPolicy.perTryIdleTimeoutMs > 0) {
    stream.armAt(StreamTimer.perTryIdle, nowMs, retryPolicy.perTryIdleTimeoutMs);
  }
}

export function onTryInformational(stream: HttpStream, head: ResponseHead): void {
  // We answer 100-continue ourselves (Envoy's `proxy_100_continue` off); early hints and the like are passed on.
  if (head.status !== 100 && !stream.response.started) {
    stream.response.sendInformational(head);
  }
  releaseResponseHead(head);
}

export function onTryResponse(
  stream: HttpStream,
  attempt: UpstreamAttempt,
  head: ResponseHead,
  endStream: boolean,
): void {
  const { info, retries } = stream;
  const { policy: retryPolicy } = retries;
  info.upstreamResponseStartMs = stream.nowMs();
  stream.cancel(StreamTimer.perTry);
  if (retries.held) {
    retries.release();
    if (head.status < 500 && stream.cluster !== undefined) {
      stream.cluster.counters.retrySuccess += 1;
    }
  }
  if (retryPolicy !== undefined && wouldRetryResponse(retryPolicy, head) && tryAgain(stream)) {
    releaseResponseHead(head);
    stream.cancel(StreamTimer.perTryIdle);
    if (endStream) {
      attempt.finish(true);
    } else {
      attempt.detach(true);
    }
    return;
  }
  info.responseCodeDetails = 'via_upstream';
  stream.response.sendUpstream(head, endStream);
}

/** A try ended without a response. */
export function onTryFailed(
  stream: HttpStream,
  failure: TryFailure,
  reason: ResetReason,
  transportFailure: string,
): void {
  const { info, retries, cluster } = stream;
  const { policy: retryPolicy } = retries;
  stream.cancel(StreamTimer.perTry);
  stream.cancel(StreamTimer.perTryIdle);
  if (retries.held) {
    retries.release();
  }
  if (transportFailure !== '') {
    info.upstreamTransportFailureReason = transportFailure;
  }
  if (stream.response.started) {
    info.responseFlags |= resetFlags[reason];
    info.responseCodeDetails = `upstream_reset_after_response_started{${reason.replaceAll(' ', '_')}}`;
    stream.abort();
    return;
  }
  if (cluster !== undefined && retries.free < maxFreeRetries && mayResend(stream, failure)) {
    retries.free += 1;
    info.attemptCount -= 1;
    stream.holdRequest();
    startTry(stream);
    return;
  }
  if (retryPolicy !== undefined && wouldRetryFailure(retryPolicy, failure) && tryAgain(stream)) {
    return;
  }
  fail(stream, upstreamReset(reason, transportFailure, info.attemptCount));
}

/** Times that one request is sent again without asking the policy, because no upstream has worked on it. */
const maxFreeRetries = 3;

/** Whether it is certain enough that nothing was done with the request. */
function mayResend({ head, bodyReplayable }: HttpStream, failure: TryFailure): boolean {
  if (failure !== 'refused-stream' && (failure !== 'stale-connection' || !isIdempotent(head.method))) {
    return false;
  }
  return !head.hasBody || bodyReplayable;
}

/** Begins another try after a pause, if policy and breaker allow it. */
function tryAgain(stream: HttpStream): boolean {
  const { retries, cluster, info, manager } = stream;
  const { policy: retryPolicy } = retries;
  if (retryPolicy === undefined || cluster === undefined || stream.response.started) {
    return false;
  }
  if (retries.left === 0) {
    if (retryPolicy.numRetries > 0) {
      info.responseFlags |= ResponseFlag.URX;
    }
    cluster.counters.retryLimitExceeded += 1;
    return false;
  }
  if (stream.head.hasBody && !stream.bodyReplayable) {
    return false;
  }
  retries.left -= 1;
  const breaker = cluster.breaker(stream.route?.forward?.priority ?? 'default');
  if (!breaker.allowsRetry) {
    cluster.counters.retryOverflow += 1;
    info.responseFlags |= ResponseFlag.UO;
    return false;
  }
  retries.hold(breaker);
  cluster.counters.retries += 1;
  stream.holdRequest();
  if (stream.virtualHostConfig?.includeRequestAttemptCount === true) {
    stream.head.set('x-envoy-attempt-count', String(info.attemptCount + 1));
  }
  const retry = retryPolicy.numRetries - retries.left;
  stream.arm(StreamTimer.backOff, retryDelayMs(retryPolicy, retry, manager.context.random()));
  return true;
}

/** One of the router's timers is due. */
export function onRouterTimer(stream: HttpStream, timer: number): void {
  const { attempt, cluster, retries } = stream;
  const { policy: retryPolicy } = retries;
  if (timer === StreamTimer.backOff) {
    startTry(stream);
    return;
  }
  if (timer === StreamTimer.route) {
    if (cluster !== undefined) {
      cluster.counters.requestTimeouts += 1;
    }
    stream.replyOrAbort(localReplies.responseTimeout);
    return;
  }
  if (cluster !== undefined) {
    cluster.counters.perTryTimeouts += 1;
  }
  attempt.detach(true);
  stream.cancel(StreamTimer.perTry);
  stream.cancel(StreamTimer.perTryIdle);
  if (retries.held) {
    retries.release();
  }
  if (retryPolicy !== undefined && wouldRetryFailure(retryPolicy, 'per-try-timeout') && tryAgain(stream)) {
    return;
  }
  stream.replyOrAbort(timer === StreamTimer.perTry ? localReplies.perTryTimeout : localReplies.perTryIdleTimeout);
}

function fail(stream: HttpStream, reply: LocalReply): void {
  stream.reply(reply);
}
