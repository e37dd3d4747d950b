import { isIPv4, isIPv6 } from 'node:net';
import type { Clock, Timer } from '@weft/base';
import type { Endpoint } from '../endpoint/endpoint.ts';
import type { Balancer } from '../load-balancer/balancer.ts';
import type { PickContext } from '../load-balancer/pick-context.ts';
import type { BalancerCounters } from '../load-balancer/priority-set.ts';
import type { LocalCluster } from '../load-balancer/zone-routing.ts';
import type { BindAddress } from '../runtime-config/config.ts';
import type { OriginalDestinationOptions } from '../runtime-config/discovery.ts';

type IpAddress = Extract<BindAddress, { readonly kind: 'ip' }>;

export interface OriginalDestinationContext {
  readonly options: OriginalDestinationOptions;
  readonly counters: BalancerCounters;
  readonly clock: Clock;
  /** The endpoint of an address, made when there is none. */
  readonly endpointOf: (address: IpAddress) => Endpoint;
  /** These were not asked for during a whole interval. */
  readonly onUnused: (endpoints: readonly Endpoint[]) => void;
}

/** Sends each request where it says itself (`ORIGINAL_DST`). Endpoints are made as requests name them, and go when none does any more. */
export class OriginalDestination implements Balancer<Endpoint> {
  readonly ready = true;
  readonly #context: OriginalDestinationContext;
  #used = new Set<Endpoint>();
  #unused = new Set<Endpoint>();
  #timer: Timer | undefined = undefined;

  constructor(context: OriginalDestinationContext) {
    this.#context = context;
    this.#arm();
  }

  pick(context?: PickContext<Endpoint>): Endpoint | undefined {
    const text = context?.destination ?? '';
    if (text === '') {
      return undefined;
    }
    const { options, counters, endpointOf } = this.#context;
    const address = parseDestination(text);
    if (address === undefined) {
      counters.originalDstHostInvalid += 1;
      return undefined;
    }
    const { port = address.port } = options;
    const endpoint = endpointOf({ ...address, port });
    this.#used.add(endpoint);
    this.#unused.delete(endpoint);
    return endpoint;
  }

  #arm(): void {
    const { clock, options } = this.#context;
    this.#timer = clock.setTimeout(() => this.#cleanUp(), options.cleanupMs, { unref: true });
  }

  #cleanUp(): void {
    const unused = [...this.#unused];
    this.#unused = this.#used;
    this.#used = new Set();
    if (unused.length > 0) {
      this.#context.onUnused(unused);
    }
    this.#arm();
  }

  update(): void {
    // Nobody lists these endpoints.
  }

  healthChanged(): void {
    // A request goes where it says, well or ill.
  }

  localCluster(): LocalCluster {
    return { localities: [], inOwnLocality: 0, localityCount: 0, panic: true };
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}

/** `ip:port` or `[ip6]:port`; undefined for anything else. */
function parseDestination(text: string): IpAddress | undefined {
  const [, ip6, ip4, port] = /^(?:\[([^\]%]+)\]|([\d.]+)):(\d{1,5})$/.exec(text) ?? [];
  const isAddress = (ip6 !== undefined && isIPv6(ip6)) || (ip4 !== undefined && isIPv4(ip4));
  return isAddress && Number(port) <= 65_535
    ? { kind: 'ip', address: ip6 ?? ip4 ?? '', port: Number(port) }
    : undefined;
}
