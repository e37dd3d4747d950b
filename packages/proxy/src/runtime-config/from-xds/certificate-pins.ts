import type { CertificatePins } from '../config.ts';
import type { Problems } from '../wire/problems.ts';
import type { Decoded } from '../wire/schema.ts';
import type { CertificateValidationContext } from '../wire/tls-schema.ts';

const hexadecimal = /^([0-9a-f]{64}|[0-9a-f]{2}(:[0-9a-f]{2}){31})$/i;
const base64 = /^[A-Za-z0-9+/]{43}=$/;

/** `verify_certificate_hash` and `verify_certificate_spki`; undefined when there are none. */
export function certificatePinsFromXds(
  context: Decoded<typeof CertificateValidationContext>,
  problems: Problems,
): CertificatePins | undefined {
  const { verify_certificate_hash: hashes, verify_certificate_spki: keys } = context;
  if (hashes.length === 0 && keys.length === 0) {
    return undefined;
  }
  const check = (pattern: RegExp, what: string) => (value: string) => {
    if (!pattern.test(value)) {
      problems.add(`is no SHA-256 in ${what}`);
    }
    return value;
  };
  return {
    certificates: problems
      .each('verify_certificate_hash', hashes, check(hexadecimal, 'hexadecimal'))
      .map((hash) => hash.replaceAll(':', '').toLowerCase()),
    keys: problems.each('verify_certificate_spki', keys, check(base64, 'base64')),
  };
}
