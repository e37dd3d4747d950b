import { lookup, resolve4, resolve6 } from 'node:dns/promises';

/** Addresses of a name, with how long they are good. */
export interface DnsAnswer {
  readonly addresses: readonly string[];
  /** Seconds; undefined when the resolver does not say. */
  readonly ttlSec: number | undefined;
}

/** Turns names into addresses; throws when there is none. */
export type DnsResolver = (name: string, withTtl: boolean) => Promise<DnsAnswer>;

/** The operating system's resolver; with `withTtl` the DNS is asked itself first. */
export const systemDnsResolver: DnsResolver = async (name, withTtl) => {
  if (withTtl) {
    const answers = await Promise.allSettled([resolve4(name, { ttl: true }), resolve6(name, { ttl: true })]);
    const records = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
    if (records.length > 0) {
      return {
        addresses: records.map((record) => record.address),
        ttlSec: Math.min(...records.map((record) => record.ttl)),
      };
    }
  }
  const found = await lookup(name, { all: true });
  return { addresses: found.map((entry) => entry.address), ttlSec: undefined };
};
