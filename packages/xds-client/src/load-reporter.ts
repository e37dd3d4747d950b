import type { Clock, Logger } from '@weft/base';
import type { Node } from '@weft/xds-types/envoy/config/core/v3/base.ts';
import type { ClusterStats } from '@weft/xds-types/envoy/config/endpoint/v3/load_report.ts';
import type { GrpcChannel } from './grpc/channel.ts';

export interface LoadReporterOptions {
  /** `XdsClient.channel`. */
  readonly channel: GrpcChannel;
  readonly node: Node;
  readonly clock: Clock;
  readonly logger: Logger;
  /**
   * Counters since the last call, for each cluster that had any; called at the interval that the server demands.
   * `clusters` is undefined when the server asks for all. `load_report_interval` is filled in by the reporter.
   */
  collect(request: { readonly clusters: ReadonlySet<string> | undefined; readonly perEndpoint: boolean }): readonly ClusterStats[];
}

export interface LoadReporter {
  start(): void;
  close(): void;
}
