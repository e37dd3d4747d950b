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
  /** Whether its ports accept mutual TLS: those named, else `byDefault`. */
  readonly mutualTls: { readonly byDefault: boolean; readonly ports: Readonly<Record<number, boolean>> };
  readonly workload: WorkloadLabels;
  readonly origins: readonly OriginRef[];
}

/** All workloads of one object (Service or ServiceEntry). Replaced only when its content differs. */
export interface InstanceSet {
  readonly instances: readonly Instance[];
  /** The identities, sorted; the same array as before when they are the same. */
  readonly identities: readonly string[];
  readonly text: string;
}

const none: InstanceSet = { instances: [], identities: [], text: '[]' };

/** Makes a set, sharing with `previous` what did not change. */
export function instanceSet(instances: readonly Instance[], previous: InstanceSet = none): InstanceSet {
  const text = canonicalText(instances);
  if (text === previous.text) {
    return previous;
  }
  const identities = [...new Set(instances.flatMap((instance) => instance.identity ?? []))].sort();
  const same =
    identities.length === previous.identities.length &&
    identities.every((identity, index) => identity === previous.identities[index]);
  return { instances, identities: same ? previous.identities : identities, text };
}
