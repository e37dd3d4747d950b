import { type ResponseHead, releaseResponseHead } from '@weft/http-codec';
import { localReplies, type ResetReason, resetFlags, upstreamReset } from '../../local-reply.ts';
import type { UpstreamHttpConnection } from '../../pool/upstream-http-connection.ts';
import { ResponseFlag } from '../../response-flag.ts';
import type { HttpStream } from './http-stream.ts';
import {
  askedPauseMs,
  isIdempotent,
  retryDelayMs,
  retryOfResponse,
  spreadPauseMs,
  wouldRetryFailure,
} from './retry.ts';
import { StreamTimer } from './stream-timer.ts';
import type { TryFailure } from './try-failure.ts';
import type { UpstreamAttempt } from './upstream-attempt.ts';
import { prepareRepeatedRequest, rewriteHost } from './upstream-request-head.ts';

/** Chooses an endpoint and sends the request there, or answers that it cannot. */
export function startTry(stream: HttpStream): void {
  const { cluster, info, retries } = stream;
  if (cluster === undefined) {
    return;
  }
  const endpoint = stream.endpointChoice.pick(stream, cluster);
  if (endpoint === undefined) {
    stream.reply(localReplies.noHealthyUpstream);
    return;
  }
  info.endpoint = endpoint;
  info.attemptCount += 1;
  if (retries.policy?.avoidPreviousHosts === true) {
    retries.triedEndpoints.push(endpoint);
  }
  retries.priority?.onTry(endpoint);
  const action = stream.route?.forward;
  if (action?.hostRewrite?.kind === 'auto' && endpoint.config.hostname !== '') {
    if (info.attemptCount === 1) {
      rewriteHost(stream, endpoint.config.hostname);
    } else {
      stream.head.setAuthority(endpoint.config.hostname);
    }
  }
  const breaker = cluster.breaker(action?.priority ?? 'default');
  const { attempt } = stream;
  if (!attempt.start(cluster, endpoint, breaker)) {
    cluster.counters.requestsPendingOverflow += 1;
    onTryFailed(stream, attempt, 'overflow', 'overflow', '');
  }
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
  // It did not come to the router yet: a filter holds it.
  if (!stream.routed) {
    return;
  }
  if (stream.timeoutMs > 0) {
    stream.arm(StreamTimer.route, stream.timeoutMs);
  }
  if (stream.attempt.upstream !== undefined && !stream.response.started) {
    armPerTry(stream, stream.nowMs());
  }
}

function armPerTry(stream: HttpStream, nowMs: number): void {
  const { policy } = stream.retries;
  if (policy === undefined) {
    return;
  }
  const total = stream.timeoutMs;
  const perTry = policy.perTryTimeoutMs;
  if (perTry > 0 && (total === 0 || perTry < total)) {
    stream.armAt(StreamTimer.perTry, nowMs, perTry);
  }
  if (policy.perTryIdleTimeoutMs > 0) {
    stream.armAt(StreamTimer.perTryIdle, nowMs, policy.perTryIdleTimeoutMs);
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
  const { info, retries, cluster } = stream;
  const { policy } = retries;
  const decision = policy === undefined ? 'no' : retryOfResponse(policy, head, stream.head);
  let isLast = true;
  if (attempt === stream.attempt) {
    stream.cancel(StreamTimer.perTry);
    if (retries.held) {
      retries.release();
      if (decision === 'no' && cluster !== undefined) {
        cluster.counters.retrySuccess += 1;
      }
    }
    if (decision !== 'no' && policy !== undefined) {
      const { rateLimitedBackOff } = policy;
      const { clock } = stream.manager.context;
      const pauseMs =
        rateLimitedBackOff === undefined ? undefined : askedPauseMs(rateLimitedBackOff, head, clock.now());
      retries.afterTimeout = false;
      if (tryAgain(stream, decision === 'at-once' ? 0 : undefined, pauseMs)) {
        stream.cancel(StreamTimer.perTryIdle);
        giveBack(attempt, head, endStream);
        return;
      }
      isLast = retries.hedged.length === 0;
    }
  } else if (decision !== 'no') {
    retries.hedged.splice(retries.hedged.indexOf(attempt), 1);
    isLast = !awaitsAnother(stream);
  }
  if (!isLast) {
    // Another try under way may be answered better.
    giveBack(attempt, head, endStream);
    return;
  }
  if (attempt !== stream.attempt || retries.hedged.length > 0) {
    promote(stream, attempt);
  }
  info.upstreamResponseStartMs = stream.nowMs();
  info.responseCodeDetails = 'via_upstream';
  stream.forgetBody();
  stream.response.sendUpstream(head, endStream);
}

/** A response that nobody wants. */
function giveBack(attempt: UpstreamAttempt, head: ResponseHead, endStream: boolean): void {
  releaseResponseHead(head);
  if (endStream) {
    attempt.finish(true);
  } else {
    attempt.detach(true);
  }
}

/** Whether another try than one that has just ended may still bring an answer. */
function awaitsAnother({ attempt, retries }: HttpStream): boolean {
  return attempt.active || retries.pending || retries.hedged.length > 0;
}

/** The answer of this try is the one: the others are given up. */
function promote(stream: HttpStream, attempt: UpstreamAttempt): void {
  const { retries, info } = stream;
  retries.dropHedged(attempt);
  if (attempt !== stream.attempt) {
    stream.attempt.detach(false);
    stream.attempt = attempt;
  }
  stream.cancel(StreamTimer.backOff);
  stream.cancel(StreamTimer.perTry);
  retries.pending = false;
  retries.release();
  info.endpoint = attempt.endpoint;
  info.upstreamLocalAddress = attempt.upstream?.connection.localAddress ?? '';
  info.upstreamTls = attempt.upstream?.connection.tls;
}

/** A try ended without a response, or in the middle of it. */
export function onTryFailed(
  stream: HttpStream,
  attempt: UpstreamAttempt,
  failure: TryFailure,
  reason: ResetReason,
  transportFailure: string,
): void {
  const { info, retries, cluster } = stream;
  const { policy } = retries;
  if (transportFailure !== '') {
    info.upstreamTransportFailureReason = transportFailure;
  }
  if (stream.response.started) {
    info.responseFlags |= resetFlags[reason];
    info.responseCodeDetails = `upstream_reset_after_response_started{${reason.replaceAll(' ', '_')}}`;
    stream.abort();
    return;
  }
  if (attempt === stream.attempt) {
    stream.cancel(StreamTimer.perTry);
    stream.cancel(StreamTimer.perTryIdle);
    retries.release();
    if (cluster !== undefined && retries.free < maxFreeRetries && mayResend(stream, failure)) {
      retries.free += 1;
      info.attemptCount -= 1;
      stream.holdRequest();
      startTry(stream);
      return;
    }
    retries.afterTimeout = false;
    if (policy !== undefined && wouldRetryFailure(policy, failure) && tryAgain(stream)) {
      return;
    }
  } else {
    retries.hedged.splice(retries.hedged.indexOf(attempt), 1);
  }
  if (!awaitsAnother(stream)) {
    stream.reply(upstreamReset(reason, transportFailure, info.attemptCount));
  }
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

/**
 * Begins another try after a pause, if policy and breaker allow it.
 * @param delayMs in place of the back-off. @param askedMs what the upstream asked for.
 */
function tryAgain(stream: HttpStream, delayMs?: number, askedMs?: number): boolean {
  const { retries, cluster, info, manager } = stream;
  const { policy } = retries;
  if (policy === undefined || cluster === undefined || stream.response.started || retries.forbidden) {
    return false;
  }
  if (stream.head.hasBody && !stream.bodyReplayable) {
    return false;
  }
  if (retries.left === 0) {
    info.responseFlags |= ResponseFlag.URX;
    cluster.counters.retryLimitExceeded += 1;
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
  retries.pending = true;
  cluster.counters.retries += 1;
  stream.holdRequest();
  const { random } = manager.context;
  if (askedMs !== undefined) {
    cluster.counters.retriesBackOffRateLimited += 1;
    stream.arm(StreamTimer.backOff, spreadPauseMs(askedMs, random()));
  } else if (delayMs !== undefined) {
    stream.arm(StreamTimer.backOff, delayMs);
  } else {
    cluster.counters.retriesBackOffExponential += 1;
    stream.arm(StreamTimer.backOff, retryDelayMs(policy, policy.numRetries - retries.left, random()));
  }
  return true;
}

/** One of the router's timers is due. */
export function onRouterTimer(stream: HttpStream, timer: number): void {
  switch (timer) {
    case StreamTimer.backOff:
      stream.retries.pending = false;
      prepareRepeatedRequest(stream);
      startTry(stream);
      return;
    case StreamTimer.route:
      onRouteTimeout(stream);
      return;
    default:
      onTryTimeout(stream, timer);
  }
}

function onRouteTimeout(stream: HttpStream): void {
  const { attempt, cluster, retries, response } = stream;
  if (!response.started) {
    if (cluster !== undefined) {
      cluster.counters.requestTimeouts += 1;
    }
    for (const hedged of retries.hedged) {
      hedged.reportTimeout();
    }
    if (attempt.active) {
      attempt.reportTimeout();
    }
  }
  stream.replyOrAbort(stream.timeoutReply(localReplies.responseTimeout));
}

function onTryTimeout(stream: HttpStream, timer: number): void {
  const { attempt, cluster, retries } = stream;
  const { policy } = retries;
  stream.cancel(StreamTimer.perTry);
  stream.cancel(StreamTimer.perTryIdle);
  attempt.reportTimeout();
  retries.release();
  retries.afterTimeout = true;
  if (!stream.response.started && stream.route?.hedges === true) {
    // Whatever the policy's conditions: the next try is made beside this one, and the first good answer counts.
    if (tryAgain(stream)) {
      stream.setTryAside();
    }
    return;
  }
  if (cluster !== undefined) {
    if (timer === StreamTimer.perTry) {
      cluster.counters.perTryTimeouts += 1;
    } else {
      cluster.counters.perTryIdleTimeouts += 1;
    }
  }
  attempt.detach(true);
  if (policy !== undefined && wouldRetryFailure(policy, 'per-try-timeout') && tryAgain(stream)) {
    return;
  }
  stream.replyOrAbort(
    stream.timeoutReply(timer === StreamTimer.perTry ? localReplies.perTryTimeout : localReplies.perTryIdleTimeout),
  );
}
