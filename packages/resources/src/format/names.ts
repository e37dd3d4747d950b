import type { NameFormat } from '../kind.ts';
import type { Place } from '../place.ts';

/** RFC 1123 §2.1: a label of a host name. */
const labelPattern = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
/** RFC 1035 §2.3.1: as above, but begins with a letter. */
const dnsLabelPattern = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
export const labelLengthMax = 63;
export const subdomainLengthMax = 253;

export function isLabel(text: string): boolean {
  return text.length <= labelLengthMax && labelPattern.test(text);
}

function isDnsLabel(text: string): boolean {
  return text.length <= labelLengthMax && dnsLabelPattern.test(text);
}

/** Labels joined by dots, 253 characters at most; as names of most objects are, each label may be as long as the whole. */
export function isSubdomain(text: string): boolean {
  return (
    text.length > 0 && text.length <= subdomainLengthMax && text.split('.').every((part) => labelPattern.test(part))
  );
}

function isPathSegment(text: string): boolean {
  return text !== '' && text !== '.' && text !== '..' && !/[/%]/.test(text);
}

const formats: Readonly<Record<NameFormat, { test(text: string): boolean; readonly what: string }>> = {
  subdomain: {
    test: isSubdomain,
    what: 'lower case letters, digits, `-` and `.`, beginning and ending with a letter or digit (RFC 1123), at most 253 characters',
  },
  label: {
    test: isLabel,
    what: 'lower case letters, digits and `-`, beginning and ending with a letter or digit (RFC 1123), at most 63 characters',
  },
  'dns-label': {
    test: isDnsLabel,
    what: 'lower case letters, digits and `-`, beginning with a letter and ending with a letter or digit (RFC 1035), at most 63 characters',
  },
  'path-segment': { test: isPathSegment, what: 'any characters but `/` and `%`, and not `.` or `..`' },
};

/** Reports a name that is not of `format`. */
export function checkName(place: Place, name: string, format: NameFormat): void {
  const { test, what } = formats[format];
  if (!test(name)) {
    place.invalid(name, 'not a valid name', `Use ${what}.`);
  }
}

/** `generateName` is a name that may end in a dash or dot, since a suffix follows. */
export function checkNamePrefix(place: Place, prefix: string, format: NameFormat): void {
  const { test, what } = formats[format];
  if (!test(`${prefix}x`)) {
    place.invalid(prefix, 'not a valid beginning of a name', `Use ${what}.`);
  }
}
