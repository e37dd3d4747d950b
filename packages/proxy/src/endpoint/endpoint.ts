import type { EndpointConfig, LocalityEndpoints, UpstreamTransportSocket } from '../runtime-config/config.ts';
import type { EndpointInfo } from '../stream-info.ts';

/** What was counted for one address; outlives a change of the cluster's configuration. */
export class EndpointCounters {
  requestsTotal = 0;
  requestsSuccess = 0;
  requestsError = 0;
  connectionsTotal = 0;
  connectFailures = 0;
  requestsActive = 0;
  connectionsActive = 0;
  /** Bytes of TCP connections, both directions together; those of HTTP are not counted here. */
  tcpBytes = 0;
}

/** One address of a cluster. */
export class Endpoint implements EndpointInfo {
  readonly address: string;
  config: EndpointConfig;
  region: string;
  zone: string;
  subZone: string;
  priority: number;
  readonly counters: EndpointCounters;
  /** How connections to it are made: the cluster's socket or the first that matches its metadata. */
  transportSocket: UpstreamTransportSocket;
  /** Requests that this cluster object has in flight here; what least-request looks at. */
  active = 0;
  /** It left the cluster: connections in use finish, none is made or kept. */
  removed = false;

  constructor(
    address: string,
    config: EndpointConfig,
    locality: LocalityEndpoints,
    transportSocket: UpstreamTransportSocket,
    counters: EndpointCounters,
  ) {
    this.address = address;
    this.config = config;
    this.region = locality.region;
    this.zone = locality.zone;
    this.subZone = locality.subZone;
    this.priority = locality.priority;
    this.transportSocket = transportSocket;
    this.counters = counters;
  }

  get health(): EndpointConfig['health'] {
    return this.config.health;
  }

  get weight(): number {
    return this.config.weight;
  }
}

/** `ip:port`, `[ip6]:port` or the path of a pipe. */
export function endpointAddress(config: EndpointConfig): string {
  const { address } = config;
  if (address.kind === 'pipe') {
    return address.path;
  }
  return address.address.includes(':') ? `[${address.address}]:${address.port}` : `${address.address}:${address.port}`;
}
