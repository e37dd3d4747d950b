import type { BindAddress, HeaderAddition, StringMatch } from './config.ts';

/** `envoy.config.core.v3.HealthCheck` with Envoy's defaults. */
export interface HealthCheckConfig {
  readonly timeoutMs: number;
  readonly intervalMs: number;
  /** The first check of an endpoint comes after a random part of it. */
  readonly initialJitterMs: number;
  /** A random part of both is added to every wait. */
  readonly intervalJitterMs: number;
  readonly intervalJitterPercent: number;
  readonly unhealthyThreshold: number;
  readonly healthyThreshold: number;
  readonly reuseConnection: boolean;
  /** In place of all others while the cluster has had no connection. */
  readonly noTrafficIntervalMs: number;
  readonly noTrafficHealthyIntervalMs: number;
  readonly unhealthyIntervalMs: number;
  /** While a change of health is under way, but its threshold is not reached. */
  readonly unhealthyEdgeIntervalMs: number;
  readonly healthyEdgeIntervalMs: number;
  readonly logsAllFailures: boolean;
  readonly logsAllSuccesses: boolean;
  /** In place of the cluster's; undefined: the cluster's. */
  readonly alpn: readonly string[] | undefined;
  /** In place of the metadata of endpoints, to choose the transport socket by; undefined: theirs. */
  readonly transportSocketMatch: Readonly<Record<string, string>> | undefined;
  readonly check: HttpHealthCheck | GrpcHealthCheck | TcpHealthCheck;
}

/** From `start` to below `end`. */
export interface StatusRange {
  readonly start: number;
  readonly end: number;
}

export interface HttpHealthCheck {
  readonly kind: 'http';
  readonly http2: boolean;
  readonly method: string;
  readonly path: string;
  /** Empty: the cluster's name. */
  readonly host: string;
  readonly headersToAdd: readonly HeaderAddition[];
  readonly headersToRemove: readonly string[];
  readonly expectedStatuses: readonly StatusRange[];
  /** Those that make an endpoint unhealthy not at once, but when the threshold is reached. */
  readonly retriableStatuses: readonly StatusRange[];
  /** What `x-envoy-upstream-healthchecked-cluster` has to be. */
  readonly serviceName: StringMatch | undefined;
  /** To be found in the body in this order. */
  readonly receive: readonly Buffer[];
  /** Of the body, from its begin. */
  readonly searchedBytes: number;
}

/** `grpc.health.v1.Health/Check` */
export interface GrpcHealthCheck {
  readonly kind: 'grpc';
  readonly serviceName: string;
  /** Empty: the cluster's name. */
  readonly authority: string;
  readonly metadata: readonly HeaderAddition[];
}

export interface TcpHealthCheck {
  readonly kind: 'tcp';
  readonly send: Buffer;
  /** To be found in this order; empty: a connection is enough. */
  readonly receive: readonly Buffer[];
}

/** `envoy.config.endpoint.v3.Endpoint.HealthCheckConfig` */
export interface EndpointHealthCheck {
  readonly disabled: boolean;
  /** 0: that of the endpoint. */
  readonly port: number;
  /** Empty: what the check says. */
  readonly hostname: string;
  /** Undefined: that of the endpoint. */
  readonly address: BindAddress | undefined;
}
