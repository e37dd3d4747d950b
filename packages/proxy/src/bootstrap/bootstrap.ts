import type { LogLevel } from '@weft/base';
import type { OverloadConfig } from '../overload/overload-config.ts';
import type { JsonObject } from '../runtime-config/wire/schema.ts';

/** `host:port` taken apart; the host of an IPv6 address is without brackets. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** What a proxy is started with: one JSON file. Times in milliseconds. */
export interface Bootstrap {
  readonly node: {
    /** `<namespace>/<proxy name>` */
    readonly id: string;
    readonly cluster: string;
    readonly metadata: JsonObject;
    readonly locality: { readonly region: string; readonly zone: string; readonly subZone: string };
  };
  /** The cluster that this proxy is an endpoint of (Envoy's `local_cluster_name`): with it clusters are balanced by zone. */
  readonly localCluster: string | undefined;
  /** Absent: the proxy has no identity, and no certificate to show. */
  readonly identity: IdentityBootstrap | undefined;
  /** Absent: no control plane; the resources are those of `static`. */
  readonly xds: XdsBootstrap | undefined;
  readonly admin: AdminAddress;
  /** Private folder of the proxy: key pair, last good configuration. */
  readonly stateDir: string;
  /** Default `info`. */
  readonly logLevel: LogLevel;
  /** How long requests in flight may go on after SIGTERM. Default 30,000. */
  readonly drainTimeoutMs: number;
  /** How long a listener waits for what it needs. Default 15,000. */
  readonly warmingTimeoutMs: number;
  /** What is done before memory, descriptors or time run out. On by default, with the limits of the machine. */
  readonly overload: OverloadConfig;
  /** Resources by type in proto3 JSON, as `static_resources` of Envoy's bootstrap. */
  readonly static: StaticResources | undefined;
}

export interface IdentityBootstrap {
  readonly trustDomain: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  /** Where the first certificate is signed, by join token. */
  readonly caAddress: HostPort;
  /** Where it is renewed, by mutual TLS. */
  readonly renewAddress: HostPort;
  /** Name in the certificate of both; default their host. */
  readonly serverName: string | undefined;
  /** PEM: the roots that the control plane and the peers are checked against until ADS brings others. */
  readonly trustBundleFile: string;
  /** Holds the join token; needed only while there is no valid certificate in `stateDir`. */
  readonly tokenFile: string | undefined;
  /** Life that is asked for, default what the CA gives. */
  readonly certificateTtlMs: number | undefined;
}

export interface XdsBootstrap {
  readonly address: HostPort;
  /** Name in its certificate, default its host. */
  readonly serverName: string | undefined;
  readonly variant: 'delta' | 'sotw';
}

export type AdminAddress =
  | { readonly kind: 'tcp'; readonly address: string; readonly port: number }
  | { readonly kind: 'pipe'; readonly path: string };

/** Resources by type, each in proto3 JSON with the field names of the protos. */
export interface StaticResources {
  readonly listeners: readonly JsonObject[];
  readonly clusters: readonly JsonObject[];
  readonly routes: readonly JsonObject[];
  readonly endpoints: readonly JsonObject[];
  readonly secrets: readonly JsonObject[];
}

/** One mistake in the bootstrap file; all of them are reported at once. */
export interface BootstrapViolation {
  /** `identity.caAddress`; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
  readonly fix: string;
}
