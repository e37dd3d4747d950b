import { canonicalText, type OriginRef, type WorkloadLabels } from '@weft/ir';
import type { Labels } from '../kinds.ts';

/** One workload that serves, before it is looked at for one port. */
export interface Instance {
  readonly address: string;
  /** Ports by the name of the service port. */
  readonly ports: Readonly<Record<string, number>>;
  readonly labels: Labels;
  readonly locality: string;
  readonly weight: number;
  readonly health: 'healthy' | 'unhealthy';
  /** SPIFFE id, where it is known. */
  readonly identity: string | undefined;
  /** Whether its ports accept mutual TLS: those named, else `byDefault`; undefined = peers reach no other ports. */
  readonly mutualTls: { readonly byDefault: boolean | undefined; readonly ports: Readonly<Record<number, boolean>> };
  readonly workload: WorkloadLabels;
  readonly origins: readonly OriginRef[];
}

/** What was found behind one object (Service or ServiceEntry). */
export interface CollectedInstances {
  readonly instances: readonly Instance[];
  /** Resources of workloads that are left out at present: what they say is in the result, too. */
  readonly leftOut: readonly OriginRef[];
  /**
   * SPIFFE ids of all workloads, those left out included: a workload that is restarted must not take its identity from the clusters
   * of its clients, which would close their connections.
   */
  readonly identities: readonly string[];
}

/** The workloads behind one object. Replaced only when its content differs. */
export interface InstanceSet extends CollectedInstances {
  /** Sorted, each once; the same array as before when they are the same. */
  readonly identities: readonly string[];
  readonly text: string;
}

/** Makes a set, sharing with `previous` what did not change. */
export function instanceSet(collected: CollectedInstances, previous?: InstanceSet): InstanceSet {
  const identities = [...new Set(collected.identities)].sort();
  const text = canonicalText({ ...collected, identities });
  if (text === previous?.text) {
    return previous;
  }
  const same =
    previous !== undefined &&
    identities.length === previous.identities.length &&
    identities.every((identity, index) => identity === previous.identities[index]);
  return { ...collected, identities: same ? previous.identities : identities, text };
}
