import { isIP } from 'node:net';
import type { Clock } from '@weft/base';
import type { BindAddress, ClusterEndpoints, EndpointConfig, LocalityEndpoints } from '../runtime-config/config.ts';
import type { DnsOptions } from '../runtime-config/discovery.ts';
import { DnsName } from './dns-name.ts';
import type { DnsResolver } from './dns-resolver.ts';

export interface DnsDiscoveryOptions {
  readonly endpoints: ClusterEndpoints;
  readonly dns: DnsOptions;
  readonly clock: Clock;
  readonly random: () => number;
  readonly resolve: DnsResolver;
  /** Gets the endpoints with every name replaced by its addresses. */
  readonly onEndpoints: (endpoints: ClusterEndpoints) => void;
}

/**
 * The endpoints of a DNS cluster. Strict: each address of a name is an endpoint. Logical: the name is the endpoint, and connections go
 * to the address that is the first now; those that are there stay.
 */
export class DnsDiscovery {
  readonly #options: DnsDiscoveryOptions;
  readonly #names = new Map<string, DnsName>();
  #last = '';

  constructor(options: DnsDiscoveryOptions) {
    this.#options = options;
    const { endpoints, dns, clock, random, resolve } = options;
    for (const locality of endpoints.localities) {
      for (const { address } of locality.endpoints) {
        if (address.kind === 'ip' && isIP(address.address) === 0) {
          const name = address.address;
          this.#names.set(name, new DnsName({ name, dns, clock, random, resolve, onAnswer: () => this.#tell() }));
        }
      }
    }
  }

  start(): void {
    for (const name of this.#names.values()) {
      name.start();
    }
    this.#tell();
  }

  stop(): void {
    for (const name of this.#names.values()) {
      name.stop();
    }
  }

  /** Tells what is new, once every name was answered. */
  #tell(): void {
    const names = [...this.#names.values()];
    if (!names.every(({ answered }) => answered)) {
      return;
    }
    const isLogical = this.#options.dns.kind === 'logical';
    // Of a strict cluster the order says nothing, and servers turn it.
    const fingerprint = JSON.stringify(names.map(({ addresses }) => (isLogical ? addresses : [...addresses].sort())));
    if (fingerprint !== this.#last) {
      this.#last = fingerprint;
      this.#options.onEndpoints(this.#expand());
    }
  }

  #expand(): ClusterEndpoints {
    const { endpoints } = this.#options;
    return {
      ...endpoints,
      version: `${endpoints.version}/${this.#last}`,
      localities: endpoints.localities.map(
        (locality): LocalityEndpoints => ({
          ...locality,
          endpoints: locality.endpoints.flatMap((endpoint) => this.#expandEndpoint(endpoint)),
        }),
      ),
    };
  }

  #expandEndpoint(endpoint: EndpointConfig): EndpointConfig[] {
    const { address } = endpoint;
    if (address.kind !== 'ip' || isIP(address.address) !== 0) {
      return [endpoint];
    }
    const hostname = endpoint.hostname === '' ? address.address : endpoint.hostname;
    const found = this.#names.get(address.address)?.addresses ?? [];
    const at = (ip: string): BindAddress => ({ kind: 'ip', address: ip, port: address.port });
    if (this.#options.dns.kind === 'strict') {
      return [...found].sort().map((ip) => ({ ...endpoint, hostname, address: at(ip) }));
    }
    const [first, ...others] = found;
    const logicalName = `${address.address}:${address.port}`;
    return first === undefined
      ? []
      : [{ ...endpoint, hostname, logicalName, address: at(first), additionalAddresses: others.map(at) }];
  }
}
