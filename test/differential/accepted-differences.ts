import type { Difference } from './support/compare.ts';

/** Where our proxy does not do what Envoy does, on purpose or for lack of need. Nothing else may differ. */
export interface AcceptedDifference {
  readonly reason: string;
  readonly matches: (difference: Difference) => boolean;
}

export const acceptedDifferences: readonly AcceptedDifference[] = [];
