export type {
  DownstreamCodec,
  DownstreamEvents,
  RequestEncoder,
  RequestFate,
  RequestSink,
  ResponseEncoder,
  ResponseSink,
  UpstreamCodec,
  UpstreamEvents,
} from './codec.ts';
export { type CodecErrorDetail, statusOfCodecError } from './codec-error.ts';
export { FieldMemo } from './field-memo.ts';
export { healthCheckPath, healthCheckRequest, saysServing } from './grpc/health-message.ts';
export { HeadFields } from './head-fields.ts';
export { type HeaderView, noHeaders } from './header-view.ts';
export type { BodySink } from './http1/body-decoder.ts';
export { Http1DownstreamCodec, maxBacklogBytes } from './http1/downstream-codec.ts';
export { reasonOf } from './http1/head-writer.ts';
export { defaultHttp1Limits, type Http1Limits } from './http1/limits.ts';
export type { RequestRules } from './http1/request-semantics.ts';
export { Http1UpstreamCodec, maxInformational } from './http1/upstream-codec.ts';
export { Http2Counters } from './http2/counters.ts';
export { Http2DownstreamCodec } from './http2/downstream-codec.ts';
export { http2Preface, startsLikeHttp2 } from './http2/preface.ts';
export { defaultHttp2Settings, type Http2Settings, readSettingsField } from './http2/settings.ts';
export { Http2UpstreamCodec } from './http2/upstream-codec.ts';
export { KnownHeader, type KnownHeaderId } from './known-header.ts';
export {
  chunkSizeBytes,
  OutputBuffer,
  type OutputChunk,
  type OutputOwner,
  type RawBuffer,
  releaseChunk,
} from './output-buffer.ts';
export { RequestHead, releaseRequestHead, takeRequestHead } from './request-head.ts';
export { ResponseHead, releaseResponseHead, takeResponseHead } from './response-head.ts';
export { releaseFields, takeFields } from './trailer-fields.ts';
