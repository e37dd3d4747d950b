import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { CheckResult } from '@weft/admin-api';
import type { Clock } from '@weft/base';
import type { MeshState } from '@weft/translate';

/** A name that proxies look up, and the object that has it. */
export interface DnsNameInUse {
  readonly name: string;
  /** `ServiceEntry shop/db` */
  readonly object: string;
}

/** Names that are looked up at the same time: the resolver of the system has four threads, which others need as well. */
const concurrency = 2;
/** For all names together, milliseconds; what is left then is not told of. */
const deadlineMs = 5_000;
/** Most results. */
const maxResults = 10;

/** The names of services whose endpoints proxies find by DNS. */
export function dnsNamesOf(state: MeshState): readonly DnsNameInUse[] {
  return [...state.services.objectKeys()].flatMap((key) =>
    state.services.ofObject(key).flatMap((service) => {
      const { kind, metadata } = service.object;
      const names = service.discovery === 'dns' ? service.inlineEndpoints.map(({ address = '' }) => address) : [];
      return names
        .filter((name) => name !== '' && isIP(name) === 0 && !name.startsWith('unix:'))
        .map((name) => ({ name, object: `${kind} ${metadata.namespace ?? ''}/${metadata.name}` }));
    }),
  );
}

/** One result for each name that does not resolve here, where the proxies of this machine would look it up. */
export async function checkDnsNames(
  names: readonly DnsNameInUse[],
  clock: Clock,
  resolve: (name: string) => Promise<unknown> = lookup,
): Promise<readonly CheckResult[]> {
  const check = { id: 'dns-names', title: 'Names of services that are found by DNS resolve.' };
  const end = clock.monotonicMs() + deadlineMs;
  const found: CheckResult[] = [];
  let looked = 0;
  const work = names[Symbol.iterator]();
  const worker = async (): Promise<void> => {
    for (const { name, object } of work) {
      if (clock.monotonicMs() > end) {
        return;
      }
      looked += 1;
      await resolve(name).catch((error: NodeJS.ErrnoException) => {
        found.push({
          ...check,
          title: object,
          outcome: 'warning',
          message: `${name} does not resolve (${error.code ?? error.message}): requests to it are answered 503`,
          fix: 'Correct the host or the address of the endpoint, or the DNS of this machine.',
        });
      });
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  return found.length > 0
    ? found.toSorted((a, b) => (a.title < b.title ? -1 : 1)).slice(0, maxResults)
    : [{ ...check, outcome: 'ok', message: `${looked} of ${names.length} looked up` }];
}
