import type { FractionalPercent } from '../wire/core-schema.ts';
import type { Decoded } from '../wire/schema.ts';

const factors = { HUNDRED: 10_000, TEN_THOUSAND: 100, MILLION: 1 } as const;

/** `envoy.type.v3.FractionalPercent` as a numerator out of a million, capped there. */
export function fractionPerMillion(fraction: Decoded<typeof FractionalPercent>): number {
  return Math.min(1_000_000, fraction.numerator * factors[fraction.denominator]);
}
