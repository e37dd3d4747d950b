import type { WorkloadGroup } from '@weft/resources';
import type { PortFlag, Protocol, UpstreamFlag } from './flags.ts';

/** Which program is the sidecar; `grpc`: none, the command's own gRPC library is configured (proxyless). */
export type Engine = 'weft' | 'envoy' | 'grpc';

/** One workload as `weft run` or the demo describes it. */
export interface WorkloadSpec {
  readonly namespace: string;
  /** Name of the WorkloadEntry and the Proxy. */
  readonly name: string;
  /** Service that it serves; undefined for one that only calls others. */
  readonly service: string | undefined;
  readonly version: string | undefined;
  readonly serviceAccount: string;
  /** undefined: as the existing service says, else http. */
  readonly protocol: Protocol | undefined;
  readonly port: PortFlag;
  readonly upstreams: readonly UpstreamFlag[];
  readonly engine: Engine;
  /** Paths of Unix sockets that Gateways and Sidecars may have the proxy open. */
  readonly unixSockets?: readonly string[];
  /** Program and arguments. */
  readonly command: readonly string[];
  readonly cwd: string;
  /** Added to the environment of the command; `$NAME` in a value stands for another variable of it. */
  readonly env: Readonly<Record<string, string>>;
  /** Put on the objects, so that they can be found again. */
  readonly labels: Readonly<Record<string, string>>;
  /** Of the objects that are made for it, besides those of its group. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** What it has from a WorkloadGroup. */
  readonly group?: WorkloadGroup['spec'];
  /** Set: no command is run, the proxy itself is the workload. */
  readonly gateway?: GatewaySpec;
}

/** What a proxy of role gateway is. */
export interface GatewaySpec {
  /** Where it listens and is reached. */
  readonly address: string;
  /** Ports of Gateways that are listened on under another number. */
  readonly ports: readonly { readonly port: number; readonly listenPort: number }[];
  /** Labels by which Gateways choose it. */
  readonly labels: Readonly<Record<string, string>>;
}

/** Ports on loopback that were chosen for one workload. */
export interface WorkloadPorts {
  /** What the command listens on; with a Unix socket, a number that stands for it. */
  readonly app: number | undefined;
  /** What peers connect to. */
  readonly inbound: number | undefined;
  readonly httpProxy: number;
  readonly admin: number;
  readonly upstreams: readonly { readonly host: string; readonly port: number; readonly localPort: number }[];
}

/** A port of the service that the workload serves. */
export interface ServedPort {
  /** Name of the port in the Service. */
  readonly name: string;
  readonly port: number;
  readonly protocol: Protocol;
}
