import { ADDRCONFIG } from 'node:dns';
import { lookup, resolve4, resolve6 } from 'node:dns/promises';
import type { DnsFamily } from '../runtime-config/discovery.ts';

/** Addresses of a name, with how long they are good. */
export interface DnsAnswer {
  readonly addresses: readonly string[];
  /** Seconds; undefined when the resolver does not say. */
  readonly ttlSec: number | undefined;
}

/** Turns names into addresses of one family; throws when there is none. */
export type DnsResolver = (name: string, family: 4 | 6, withTtl: boolean) => Promise<DnsAnswer>;

/** The operating system's resolver; with `withTtl` the DNS is asked itself first. */
export const systemDnsResolver: DnsResolver = async (name, family, withTtl) => {
  if (withTtl) {
    try {
      const records = await (family === 4 ? resolve4(name, { ttl: true }) : resolve6(name, { ttl: true }));
      if (records.length > 0) {
        const ttlSec = Math.min(...records.map(({ ttl }) => ttl));
        return { addresses: records.map(({ address }) => address), ttlSec };
      }
    } catch {
      // Names that are not in the DNS, but in a file of the system.
    }
  }
  // Addresses of a family that this machine has none of are of no use.
  const found = await lookup(name, { all: true, family, hints: ADDRCONFIG });
  return { addresses: found.map(({ address }) => address), ttlSec: undefined };
};

/**
 * Asks for the families that `dns_lookup_family` wants: `auto` takes IPv6 and only without it IPv4, `v4-preferred` the other way
 * round, `all` both, those of IPv6 first. Throws when there is no address.
 */
export async function resolveFamilies(
  resolve: DnsResolver,
  name: string,
  families: DnsFamily,
  withTtl: boolean,
): Promise<DnsAnswer> {
  switch (families) {
    case 'v4-only':
      return resolve(name, 4, withTtl);
    case 'v6-only':
      return resolve(name, 6, withTtl);
    case 'auto':
      return resolve(name, 6, withTtl).catch(() => resolve(name, 4, withTtl));
    case 'v4-preferred':
      return resolve(name, 4, withTtl).catch(() => resolve(name, 6, withTtl));
    default:
      return joined(await Promise.allSettled([resolve(name, 6, withTtl), resolve(name, 4, withTtl)]));
  }
}

function joined(answers: readonly PromiseSettledResult<DnsAnswer>[]): DnsAnswer {
  const good = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
  const failure = answers.find((answer) => answer.status === 'rejected');
  if (good.length === 0 && failure !== undefined) {
    throw failure.reason;
  }
  const ttls = good.flatMap(({ ttlSec }) => (ttlSec === undefined ? [] : [ttlSec]));
  return {
    addresses: good.flatMap(({ addresses }) => addresses),
    ttlSec: ttls.length === 0 ? undefined : Math.min(...ttls),
  };
}
