import type { OriginRef } from './origin.ts';

/** One address of a cluster. */
export interface Endpoint {
  /** An IP address, a name that DNS resolves, or `unix://` and the path of a socket. */
  readonly address: string;
  /** 0 for a Unix socket. */
  readonly port: number;
  readonly health: 'healthy' | 'unhealthy';
  /** At least 1. */
  readonly weight: number;
  /** `region/zone/subzone`, with fewer parts or empty where unknown. */
  readonly locality: string;
  /** 0 is used first; others as far as lower ones are not healthy. */
  readonly priority: number;
  /** Whether a sidecar stands there that accepts mutual TLS. */
  readonly mutualTls: boolean;
  /** The port at which it is checked, where its cluster checks; 0 = it is not checked, absent = that to which requests go. */
  readonly checkPort?: number;
  readonly workload: WorkloadLabels;
}

/** Who a workload is, for metrics. */
export interface WorkloadLabels {
  readonly name: string;
  readonly namespace: string;
  readonly canonicalName: string;
  readonly canonicalRevision: string;
  readonly cluster: string;
}

/** The endpoints of one cluster; ordered by locality, address and port. */
export interface ClusterEndpoints {
  /** Name of the load assignment: the cluster's, or that and `@` and from where it is seen. */
  readonly cluster: string;
  readonly endpoints: readonly Endpoint[];
  /** Shares of localities by their names, where a DestinationRule gives them; undefined = by their endpoints. */
  readonly localityWeights: Readonly<Record<string, number>> | undefined;
  readonly origins: readonly OriginRef[];
}
