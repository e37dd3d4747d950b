import type { Difference } from './support/compare.ts';

/** Where our proxy does not do what Envoy does, on purpose or for lack of need. Nothing else may differ. */
export interface AcceptedDifference {
  readonly reason: string;
  readonly matches: (difference: Difference) => boolean;
}

function sameList(a: string, b: string): boolean {
  const plain = (list: string): string =>
    list
      .split(/[|,]/)
      .map((entry) => entry.trim())
      .filter((entry) => entry !== '')
      .join();
  return plain(a) === plain(b);
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
      'a client on loopback is named by its own address in x-forwarded-for; Envoy names the address of the machine in its place',
    matches: ({ what, envoy, weft }) =>
      / header x-forwarded-for$/.test(what) &&
      weft.endsWith('127.0.0.1') &&
      sameList(envoy.slice(0, envoy.lastIndexOf(',') + 1), weft.slice(0, weft.lastIndexOf(',') + 1)),
  },
  {
    reason:
      'lines of one field stay apart, where Envoy joins those of fields that it knows, without empty ones: the same list (RFC 9110 §5.3)',
    matches: ({ what, envoy, weft }) => / header (x-forwarded-for|via)$/.test(what) && sameList(envoy, weft),
  },
  {
    reason: 'what is left of the time for a retry depends on how long the try before took',
    matches: ({ what, envoy, weft }) =>
      /^backend [1-9] header x-envoy-expected-rq-timeout-ms$/.test(what) && /^\d+$/.test(envoy) && /^\d+$/.test(weft),
  },
  {
    reason: 'of a field with several lines %REQ(X)% and %RESP(X)% give all, joined by a comma; Envoy gives the first',
    matches: ({ configuration, what, envoy, weft }) =>
      configuration === 'header-formats' && / header x-format-\d+$/.test(what) && weft.startsWith(`${envoy},`),
  },
  {
    reason: 'merging slashes leaves one of two that are the whole path; Envoy leaves both',
    matches: ({ configuration, what, envoy, weft }) =>
      configuration.startsWith('paths-') && what === 'backend 0 path' && envoy === weft.replace('/', '//'),
  },
  {
    reason: 'a request whose grpc-timeout is over when it comes is not sent anywhere',
    matches: ({ configuration, what, weft }) =>
      configuration === 'durations' &&
      ((what === 'backends' && weft === '') || (what === 'log attempts' && weft === '0')),
  },
  {
    reason: 'the listeners of the two have different ports',
    matches: ({ what, envoy, weft }) =>
      / header x-forwarded-port$/.test(what) && /^\d{5}$/.test(envoy) && /^\d{5}$/.test(weft),
  },
  {
    reason:
      'what an application could take for a field that the proxy vouches for, with _ in place of -, does not come to it from a client',
    matches: ({ what, weft }) => /^backend \d+ header x_forwarded_client_cert$/.test(what) && weft === '(absent)',
  },
  {
    reason: 'the applications behind the two sidecars have different ports, after which their clusters are named',
    matches: ({ what, envoy, weft }) =>
      what === 'log cluster' && [envoy, weft].every((name) => /^inbound\|\d+\|\|$/.test(name)),
  },
  {
    reason: 'an empty x-request-id that is not replaced by ours does not come back in the answer',
    matches: ({ what, envoy }) => what === 'client header x-request-id' && envoy === '',
  },
  {
    reason:
      'x-forwarded-proto is one of http and https, in lower case: Envoy passes HTTPS on, which it takes for neither when it asks for TLS',
    matches: ({ what, envoy }) => / header x-forwarded-proto$/.test(what) && /^(HTTPS?|ftp)$/.test(envoy),
  },
];
