import type { CodecErrorDetail, RequestFate } from '@weft/http-codec';
import type { ResetReason } from '../../local-reply.ts';

/** How a try ended without a response. */
export type TryFailure =
  | 'connect-failure'
  | 'reset'
  /** A kept connection turned out to be closed. */
  | 'stale-connection'
  /** The upstream says that it did not work on the request. */
  | 'refused-stream'
  | 'per-try-timeout'
  | 'overflow';

/** What Envoy calls the end of an upstream stream for which the codec gives `detail`. */
export function resetReasonOf(detail: CodecErrorDetail, fate: RequestFate): ResetReason {
  if (fate === 'not-processed' && detail !== 'http2.extended_connect_not_allowed') {
    return 'remote refused stream reset';
  }
  switch (detail) {
    case 'http1.unexpected_end':
    case 'http2.unexpected_end':
    case 'http2.remote_goaway':
      return 'connection termination';
    case 'http2.remote_reset':
    case 'http2.remote_refuse':
      return 'remote reset';
    default:
      return 'protocol error';
  }
}
