import type { Difference } from './support/compare.ts';

/** Where our proxy does not do what Envoy does, on purpose or for lack of need. Nothing else may differ. */
export interface AcceptedDifference {
  readonly reason: string;
  readonly matches: (difference: Difference) => boolean;
}

export const acceptedDifferences: readonly AcceptedDifference[] = [
  {
    reason:
      'a mirrored copy is what its backend would have got as the request itself; the client inside Envoy that sends copies adds the address of the machine to x-forwarded-for, and x-envoy-internal',
    matches: ({ configuration, what }) =>
      configuration.startsWith('mirroring') && /^backend \d+ header (x-forwarded-for|x-envoy-internal)$/.test(what),
  },
  {
    reason:
      'x-forwarded-proto is one of http and https, in lower case: Envoy passes HTTPS on, which it takes for neither when it asks for TLS',
    matches: ({ what, envoy }) => / header x-forwarded-proto$/.test(what) && /^HTTPS?$/.test(envoy),
  },
];
