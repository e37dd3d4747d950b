import { X509Certificate } from 'node:crypto';
import { PrivateKey, parseTrustBundle, splitPem } from '@weft/identity';
import type { SecretConfig } from '../config.ts';
import type { Problems } from '../wire/problems.ts';
import type { Decoded } from '../wire/schema.ts';
import type { Secret } from '../wire/tls-schema.ts';
import { textFromXds } from './data-source.ts';
import { revocationListsFromPem } from './revocation-lists.ts';

/** `envoy.extensions.transport_sockets.tls.v3.Secret`. Undefined when refused; no problem quotes key material. */
export function secretFromXds(
  secret: Decoded<typeof Secret>,
  version: string,
  problems: Problems,
): SecretConfig | undefined {
  const { name, validation_context: validation, tls_certificate: certificate } = secret;
  if (validation !== undefined) {
    return problems.within('validation_context', () => {
      const { trusted_ca: ca } = validation;
      if (validation.match_typed_subject_alt_names.length > 0) {
        problems.add('not supported in a secret', 'match_typed_subject_alt_names');
      }
      for (const field of ['verify_certificate_hash', 'verify_certificate_spki'] as const) {
        if (validation[field].length > 0) {
          problems.add('not supported in a secret', field);
        }
      }
      if (validation.trust_chain_verification !== 'VERIFY_TRUST_CHAIN') {
        problems.add('not supported in a secret', 'trust_chain_verification');
      }
      if (ca === undefined) {
        problems.add('required', 'trusted_ca');
        return undefined;
      }
      const { crl } = validation;
      const revoked = crl && problems.within('crl', () => revocationListsFromPem(textFromXds(crl, problems), problems));
      return problems.within('trusted_ca', () => {
        const pem = textFromXds(ca, problems);
        const bundle = attempt(() => parseTrustBundle(pem), problems);
        return (
          bundle && {
            kind: 'validation-context',
            name,
            trustBundlePem: bundle.pem,
            ...(revoked === undefined ? {} : { revoked }),
            version,
          }
        );
      });
    });
  }
  if (certificate !== undefined) {
    return problems.within('tls_certificate', () => {
      const { certificate_chain: chain, private_key: key } = certificate;
      if (chain === undefined || key === undefined) {
        problems.add('certificate_chain and private_key are required');
        return undefined;
      }
      const chainPem = problems.within('certificate_chain', () => textFromXds(chain, problems));
      const keyPem = problems.within('private_key', () => textFromXds(key, problems));
      const privateKey = certificateFromXds(chainPem, keyPem, problems);
      if (privateKey === undefined) {
        return undefined;
      }
      return { kind: 'certificate', name, chainPem, key: privateKey, version };
    });
  }
  problems.add('validation_context or tls_certificate is required');
  return undefined;
}

/** The key of a certificate; undefined when either is refused. One that does not fit is a problem, too. */
export function certificateFromXds(chainPem: string, keyPem: string, problems: Problems): PrivateKey | undefined {
  const leaf = problems.within('certificate_chain', () =>
    attempt(() => new X509Certificate(splitPem(chainPem, 'CERTIFICATE')[0] ?? ''), problems),
  );
  const privateKey = problems.within('private_key', () => attempt(() => PrivateKey.fromPem(keyPem), problems));
  if (leaf === undefined || privateKey === undefined) {
    return undefined;
  }
  if (!leaf.checkPrivateKey(privateKey.reveal())) {
    problems.add('the certificate does not belong to the private key');
  }
  return privateKey;
}

function attempt<T>(body: () => T, problems: Problems): T | undefined {
  try {
    return body();
  } catch (thrown) {
    problems.add(thrown instanceof Error ? thrown.message : 'not readable');
    return undefined;
  }
}
