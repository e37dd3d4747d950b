import type { OriginRef } from '@weft/ir';
import type { DestinationSpec, Sidecar } from '../kinds.ts';
import { wildcardCovers } from '../match.ts';
import { originOf } from '../origin.ts';

/** What the Sidecar of a workload lets it reach. */
export interface EgressScope {
  /** undefined: everything that is exported to it. */
  readonly hosts: readonly ScopedHost[] | undefined;
  /** Hosts that the mesh does not know are looked up in DNS (`ALLOW_ANY`). */
  readonly allowAny: boolean;
  /** Where requests to such hosts go instead, a gateway; undefined: to the hosts. */
  readonly through: DestinationSpec | undefined;
  readonly sidecar: Sidecar;
  readonly origin: OriginRef;
}

interface ScopedHost {
  /** `*` = any. */
  readonly namespace: string;
  /** Lower case; may begin with `*`. */
  readonly host: string;
  /** undefined: at any port. */
  readonly port: number | undefined;
}

/** The scope that a Sidecar sets. */
export function egressScope(sidecar: Sidecar): EgressScope {
  const own = sidecar.metadata.namespace ?? '';
  const hosts = sidecar.spec?.egress?.flatMap((listener) =>
    listener.hosts.flatMap((written): ScopedHost[] => {
      const slash = written.indexOf('/');
      const namespace = slash < 0 ? '*' : written.slice(0, slash);
      return namespace === '~'
        ? []
        : [
            {
              namespace: namespace === '.' ? own : namespace,
              host: written.slice(slash + 1).toLowerCase(),
              // A Unix socket has none.
              port: listener.port?.number || undefined,
            },
          ];
    }),
  );
  return {
    hosts,
    allowAny: sidecar.spec?.outboundTrafficPolicy?.mode === 'ALLOW_ANY',
    through: sidecar.spec?.outboundTrafficPolicy?.egressProxy,
    sidecar,
    origin: originOf(sidecar),
  };
}

/** Whether what an object of `namespace` says of `host` counts for a workload with this scope. @param port undefined: at some port. */
export function inScope(
  scope: EgressScope | undefined,
  namespace: string,
  host: string,
  port: number | undefined,
): boolean {
  return (
    scope?.hosts === undefined ||
    scope.hosts.some(
      (entry) =>
        (entry.namespace === '*' || entry.namespace === namespace) &&
        (entry.host === host || wildcardCovers(entry.host, host)) &&
        (entry.port === undefined || port === undefined || entry.port === port),
    )
  );
}
