/**
 * What happened on HTTP/2 connections, by Envoy's names (`http2.*` of a connection manager or cluster). One object may
 * serve many connections; the two gauges are kept by adding and subtracting.
 */
export class Http2Counters {
  /** Streams that the peer reset. */
  rxReset = 0;
  /** Streams that we reset. */
  txReset = 0;
  /** Header blocks for streams that are gone. */
  headersCbNoStream = 0;
  /** Heads over the limits. */
  headerOverflow = 0;
  /** Malformed messages. */
  rxMessagingError = 0;
  /** Messages that ended with a trailer section. */
  trailers = 0;
  /** GOAWAY frames sent. */
  goawaySent = 0;
  /** Streams that we refused, or that the peer refused, with REFUSED_STREAM. */
  streamRefusedErrors = 0;
  inboundEmptyFramesFlood = 0;
  inboundPriorityFramesFlood = 0;
  inboundWindowUpdateFramesFlood = 0;
  /** Too many resets for what was done; Envoy closes for it by `overload.premature_reset_*`. */
  inboundResetFramesFlood = 0;
  inboundContinuationFramesFlood = 0;
  outboundFlood = 0;
  outboundControlFlood = 0;
  /** Keepalive PINGs that were not answered in time. */
  keepaliveTimeout = 0;
  /** Gauge: streams under way. */
  streamsActive = 0;
  /** Gauge: bytes kept because a send window is shut. */
  pendingSendBytes = 0;
}
