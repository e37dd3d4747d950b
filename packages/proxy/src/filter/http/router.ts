import { clusterNotFound, directResponse, localReplies, redirectReply, tellsLocation } from '../../local-reply.ts';
import { ownLocation, redirectLocation } from '../../route/rewrite.ts';
import { matchesHeaders } from '../../route/route-match.ts';
import type { CompiledRoute } from '../../route/route-table.ts';
import { FilterStatus, type FilterStatusCode } from './filter-status.ts';
import { grpcTimeoutMs, grpcTimeoutText } from './grpc/grpc-request.ts';
import type { HttpStream } from './http-stream.ts';
import { requiresTls } from './route-choice.ts';
import { startMirrors } from './start-mirrors.ts';
import { StreamTimer } from './stream-timer.ts';
import { startTry } from './tries.ts';
import { prepareUpstreamRequest } from './upstream-request-head.ts';

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
    stream.reply(
      redirectReply(redirect.status, redirectLocation(redirect, route, stream.head, stream.scheme, stream.info.scheme)),
    );
    return FilterStatus.replied;
  }
  if (action.kind === 'direct-response') {
    const { head, scheme, info } = stream;
    const location = tellsLocation(action.status) ? ownLocation(head, scheme, info.scheme) : undefined;
    stream.reply(directResponse(action.status, action.body, location));
    return FilterStatus.replied;
  }
  return forward(stream, route);
}

function forward(stream: HttpStream, route: CompiledRoute): FilterStatusCode {
  const action = route.forward;
  if (action === undefined) {
    stream.reply(localReplies.noHealthyUpstream);
    return FilterStatus.replied;
  }
  const { head } = stream;
  if (stream.cluster === undefined) {
    stream.reply(clusterNotFound(action.clusterNotFoundStatus));
    return FilterStatus.replied;
  }
  stream.routed = true;
  if (route.virtualHost.virtualClusters.length > 0) {
    stream.info.virtualClusterName = virtualClusterOf(stream, route);
  }
  prepareUpstreamRequest(stream, route, head);
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
  startMirrors(stream, route);
  startTry(stream);
  return stream.finished || stream.response.started ? FilterStatus.replied : FilterStatus.stop;
}

/** The first whose matchers fit; empty if there is none. */
function virtualClusterOf(stream: HttpStream, { virtualHost }: CompiledRoute): string {
  return virtualHost.virtualClusters.find(({ headers }) => matchesHeaders(headers, stream))?.name ?? '';
}

/** Arms the limit of the request's life, and tells a gRPC upstream how long it has. @returns false when it is over already. */
function limitDuration(stream: HttpStream): boolean {
  const { info, manager, head } = stream;
  const limit = stream.route?.forward?.maxStreamDuration;
  const asked = limit?.grpcTimeoutMaxMs === undefined ? undefined : grpcTimeoutMs(head);
  let maxMs = limit?.maxMs ?? manager.config.maxStreamDurationMs;
  if (limit?.grpcTimeoutMaxMs !== undefined && asked !== undefined) {
    const bound = limit.grpcTimeoutMaxMs;
    const bounded = bound > 0 && asked > bound ? bound : asked;
    maxMs = bounded - limit.grpcTimeoutOffsetMs;
    if (maxMs <= 0) {
      stream.onTimer(StreamTimer.duration);
      return false;
    }
  } else if (maxMs === 0) {
    return true;
  }
  if (info.isGrpc && limit !== undefined) {
    head.set('grpc-timeout', grpcTimeoutText(maxMs));
  }
  stream.armAt(StreamTimer.duration, info.startMs, maxMs);
  return true;
}
