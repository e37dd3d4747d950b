import type { Cluster } from './cluster.ts';

/** Where this proxy stands, for balancing by zone. */
export interface Place {
  /** As {@link localityName} has it; empty: not known. */
  readonly locality: string;
  /** The cluster that this proxy itself belongs to, where that is known. */
  readonly localCluster: (() => Cluster | undefined) | undefined;
}

/** A locality as one text, that sorts as Envoy orders localities; empty when nothing is known of it. */
export function localityName(locality: {
  readonly region: string;
  readonly zone: string;
  readonly subZone: string;
}): string {
  const { region, zone, subZone } = locality;
  return region === '' && zone === '' && subZone === '' ? '' : `${region}\n${zone}\n${subZone}`;
}
