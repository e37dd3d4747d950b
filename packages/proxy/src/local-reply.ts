import { type CodecErrorDetail, reasonOf, statusOfCodecError } from '@weft/http-codec';
import { GrpcStatus } from './filter/http/grpc/grpc-status.ts';
import { ResponseFlag } from './response-flag.ts';

/**
 * Every response that the proxy makes itself, with Envoy's status, body, response flag and response code detail. A
 * failure on the request path becomes a response here and nowhere else.
 */
export interface LocalReply {
  readonly status: number;
  /** Plain text, may be empty. */
  readonly body: string;
  readonly details: string;
  /** `ResponseFlag` bits to add. */
  readonly flags: number;
  /** Fields beside the usual ones, name and value in turn. */
  readonly headers: readonly string[];
  /** What gRPC clients are told; absent: what the HTTP status stands for. */
  readonly grpcStatus?: number;
}

function reply(status: number, body: string, details: string, flags = 0, headers: readonly string[] = []): LocalReply {
  return { status, body, details, flags, headers };
}

/** Why an upstream stream ended before its response, in Envoy's words. */
export type ResetReason =
  | 'remote connection failure'
  | 'connection timeout'
  | 'connection termination'
  | 'overflow'
  | 'protocol error'
  | 'remote reset'
  | 'remote refused stream reset';

/** The response flag that goes with the end of an upstream stream. */
export const resetFlags: Readonly<Record<ResetReason, number>> = {
  'remote connection failure': ResponseFlag.UF,
  'connection timeout': ResponseFlag.UF,
  'connection termination': ResponseFlag.UC,
  overflow: ResponseFlag.UO,
  'protocol error': ResponseFlag.UPE,
  'remote reset': ResponseFlag.UR,
  'remote refused stream reset': ResponseFlag.UR,
};

export const localReplies = {
  routeNotFound: reply(404, '', 'route_not_found', ResponseFlag.NR),
  noHealthyUpstream: reply(503, 'no healthy upstream', 'no_healthy_upstream', ResponseFlag.UH),
  responseTimeout: reply(504, 'upstream request timeout', 'response_timeout', ResponseFlag.UT),
  perTryTimeout: reply(504, 'upstream request timeout', 'upstream_per_try_timeout', ResponseFlag.UT),
  perTryIdleTimeout: reply(504, 'upstream request timeout', 'upstream_per_try_idle_timeout', ResponseFlag.UT),
  streamIdleTimeout: reply(408, 'stream timeout', 'stream_idle_timeout', ResponseFlag.SI),
  requestTimeout: reply(408, 'request timeout', 'request_overall_timeout'),
  maxStreamDuration: {
    ...reply(408, 'downstream duration timeout', 'max_duration_timeout'),
    grpcStatus: GrpcStatus.deadlineExceeded,
  },
  requestHeadersTimeout: reply(408, 'request header timeout', 'request_header_timeout'),
  pathNormalizationFailed: reply(400, '', 'path_normalization_failed'),
  underscoreInName: reply(400, 'Bad Request', 'http1.unexpected_underscore', ResponseFlag.DPE),
  upgradeFailed: reply(403, '', 'upgrade_failed'),
  upgradeWithBody: reply(400, '', 'http1.body_disallowed', ResponseFlag.DPE),
  virtualHostUnavailable: reply(
    503,
    'the control plane cannot be asked for this host now',
    'virtual_host_unavailable',
    ResponseFlag.NR,
  ),
  overloaded: reply(503, 'overloaded', 'overload', ResponseFlag.OM, ['x-envoy-overloaded', 'true']),
  invalidGrpcWebBody: reply(400, 'Bad gRPC-web request, invalid base64 data.', 'grpc_base_64_decode_failed'),
  routeConfigMissing: reply(404, '', 'route_configuration_not_found', ResponseFlag.NR),
} as const;

/** The cluster that a route names does not exist. */
export function clusterNotFound(status: number): LocalReply {
  return reply(status, '', 'cluster_not_found', ResponseFlag.NC);
}

/** What came from the client is no valid HTTP. */
export function codecErrorReply(detail: CodecErrorDetail): LocalReply {
  const status = statusOfCodecError(detail);
  const body = detail === 'low_version' || detail === 'missing_host_header' ? '' : reasonOf(status);
  return reply(status, body, detail, ResponseFlag.DPE);
}

/** The upstream gave no response. The transport's reason is in the details, not in what the client is told, as with Envoy. */
export function upstreamReset(reason: ResetReason, transportFailure: string, attempts: number): LocalReply {
  const retried = attempts > 1 ? 'retried and the latest ' : '';
  const details = `upstream_reset_before_response_started{${reason}${transportFailure === '' ? '' : `|${transportFailure}`}}`;
  return reply(
    reason === 'protocol error' ? 502 : 503,
    `upstream connect error or disconnect/reset before headers. ${retried}reset reason: ${reason}`,
    details.replaceAll(' ', '_'),
    resetFlags[reason],
    reason === 'overflow' ? ['x-envoy-overloaded', 'true'] : [],
  );
}

/** The answer to a CORS preflight; what depends on the origin is added on its way. */
export function corsPreflight(headers: readonly string[]): LocalReply {
  return reply(200, '', 'cors_response', 0, headers);
}

/** The answer of the health check filter. */
export function healthCheckReply(status: number, degraded: boolean, details: string): LocalReply {
  const isGood = status >= 200 && status < 300;
  return reply(status, '', details, isGood ? 0 : ResponseFlag.LH, degraded ? ['x-envoy-degraded', ''] : []);
}

/** The error that the fault filter makes. */
export function faultAbort(status: number, grpcStatus: number | undefined): LocalReply {
  const made = reply(status, 'fault filter abort', 'fault_filter_abort', ResponseFlag.FI);
  return grpcStatus === undefined ? made : { ...made, grpcStatus };
}

/** A redirect of a route, or of path normalisation. */
export function redirectReply(status: number, location: string, details = 'direct_response'): LocalReply {
  return reply(status, '', details, 0, ['location', location]);
}

/** Whether a direct response with this status says where it is: that something is elsewhere, as Envoy's do. */
export function tellsLocation(status: number): boolean {
  return status === 201 || (status >= 300 && status < 400);
}

/** The direct response of a route. */
export function directResponse(status: number, body: Uint8Array, location?: string): LocalReply {
  const headers = location === undefined ? [] : ['location', location];
  return reply(status, Buffer.from(body).toString('latin1'), 'direct_response', 0, headers);
}
