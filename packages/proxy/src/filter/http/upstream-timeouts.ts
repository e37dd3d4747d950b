import type { RequestHead } from '@weft/http-codec';
import type { CompiledRoute } from '../../route/route-table.ts';
import { tryTimeMs } from '../../route/try-time.ts';
import type { GrpcTimeoutBound } from '../../runtime-config/config.ts';
import type { RetryPolicy } from '../../runtime-config/retry-policy.ts';
import { grpcTimeoutMs, grpcTimeoutText } from './grpc/grpc-request.ts';
import type { HttpStream } from './http-stream.ts';
import { noPolicy } from './retry-fields.ts';

const expectedTimeout = 'x-envoy-expected-rq-timeout-ms';

/**
 * How long a request and each of its tries may take, by its route and by what it asks for itself; tells the upstream.
 * @returns the policy with the per-try timeout of an internal client.
 */
export function prepareTimeouts(
  stream: HttpStream,
  route: CompiledRoute,
  policy: RetryPolicy | undefined,
): RetryPolicy | undefined {
  const { head, info, manager } = stream;
  const timeoutMs = route.forward?.timeoutMs ?? 0;
  const bound = info.isGrpc ? route.forward?.grpcTimeout : undefined;
  if (bound === undefined && !stream.isInternal) {
    stream.timeoutMs = timeoutMs;
    stream.tryTimeMs = route.tryTimeMs;
    if (route.tryTimeMs > 0 && !manager.config.suppressEnvoyHeaders) {
      head.addClean(expectedTimeout, route.tryTimeText);
    }
    return policy;
  }
  stream.timeoutMs = bound === undefined ? timeoutMs : boundedTimeoutMs(head, bound);
  const asked = stream.isInternal ? takeTimeouts(stream, policy) : policy;
  stream.tryTimeMs = tryTimeMs(stream.timeoutMs, asked?.perTryTimeoutMs ?? 0, route.hedges);
  tellTime(stream, stream.tryTimeMs);
  return asked;
}

/** Tells the upstream of a further try what is left. */
export function tellTimeLeft(stream: HttpStream): void {
  const { info, timeoutMs } = stream;
  const elapsed = info.requestEndMs === 0 ? 0 : Math.floor(stream.nowMs() - info.requestEndMs);
  // 0 would mean that there is no limit.
  const leftMs = timeoutMs === 0 ? stream.tryTimeMs : Math.max(1, Math.min(stream.tryTimeMs, timeoutMs - elapsed));
  tellTime(stream, leftMs);
}

function tellTime({ head, info, manager, route }: HttpStream, timeMs: number): void {
  if (timeMs === 0) {
    return;
  }
  if (!manager.config.suppressEnvoyHeaders) {
    head.set(expectedTimeout, String(timeMs));
  }
  if (info.isGrpc && route?.forward?.grpcTimeout !== undefined) {
    head.set('grpc-timeout', grpcTimeoutText(timeMs));
  }
}

/** How long a call of gRPC may take: what it says, or the bound; 0 = without end. */
function boundedTimeoutMs(head: RequestHead, { maxMs, offsetMs }: GrpcTimeoutBound): number {
  const saidMs = grpcTimeoutMs(head) ?? 0;
  // An offset that leaves nothing is not heard: 0 would be without end.
  const askedMs = offsetMs < saidMs ? saidMs - offsetMs : saidMs;
  return maxMs > 0 && (askedMs === 0 || askedMs > maxMs) ? maxMs : askedMs;
}

/**
 * How long the request of an internal client may take, and each try, if its fields say so.
 * What header edits of the route put there later is not heard, as in Envoy.
 */
function takeTimeouts(stream: HttpStream, policy: RetryPolicy | undefined): RetryPolicy | undefined {
  const { head } = stream;
  stream.timeoutMs = takeMilliseconds(head, 'x-envoy-upstream-rq-timeout-ms') ?? stream.timeoutMs;
  const asked = takeMilliseconds(head, 'x-envoy-upstream-rq-per-try-timeout-ms');
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
