import type { Place } from '../place.ts';
import { isIpAddress } from './address.ts';
import { labelLengthMax, subdomainLengthMax } from './names.ts';

const hostLabel = /^[a-zA-Z0-9_]([-a-zA-Z0-9_]*[a-zA-Z0-9_])?$/;

/** Labels of a host name: letters of both cases and `_` are allowed, as DNS has them; a final dot as well. */
export function isHostName(text: string): boolean {
  const name = text.endsWith('.') ? text.slice(0, -1) : text;
  if (name === '' || name.length > subdomainLengthMax) {
    return false;
  }
  const labels = name.split('.');
  return (
    labels.every((label) => label.length <= labelLengthMax && hostLabel.test(label)) &&
    !/^\d+$/.test(labels.at(-1) ?? '')
  );
}

/** A host name, `*`, `*.` and a host name, or a host name with `*-` before its first label. */
export function isHostPattern(text: string): boolean {
  return text === '*' || isHostName(/^\*[.-]/.test(text) ? text.slice(2) : text);
}

/** Whether each host that `narrow` stands for is one that `wide` stands for. */
export function coversHost(wide: string, narrow: string): boolean {
  const [a, b] = [wide.toLowerCase(), narrow.toLowerCase()];
  if (a === '*' || a === b) {
    return true;
  }
  return a.startsWith('*') && b.length > a.length - 1 && b.endsWith(a.slice(1));
}

/** Reports what is neither a host name nor one with a wildcard in place of its first label. */
export function checkHostPattern(place: Place, host: string): void {
  if (!isHostPattern(host)) {
    place.invalid(
      host,
      'not a valid host name',
      'Use a DNS name such as reviews.default.svc.cluster.local; only `*` as the first label is allowed in place of a name.',
    );
  }
}

/** As {@link checkHostPattern}, but addresses are allowed too. */
export function checkHostPatternOrAddress(place: Place, host: string): void {
  if (!isIpAddress(host)) {
    checkHostPattern(place, host);
  }
}
