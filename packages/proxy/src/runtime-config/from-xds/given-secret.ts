import { hash, X509Certificate } from 'node:crypto';
import { getCACertificates } from 'node:tls';
import { splitPem } from '@weft/identity';
import type { SecretRef } from '../config.ts';
import type { DataSource } from '../wire/core-schema.ts';
import type { Problems } from '../wire/problems.ts';
import type { Decoded } from '../wire/schema.ts';
import type { CertificateValidationContext, TlsCertificate } from '../wire/tls-schema.ts';
import { pemFromXds } from './pem.ts';
import { certificateFromXds } from './secret.ts';

/** Certificates of authorities that stand in the configuration, in a file, or that the operating system trusts. */
export function givenRootsFromXds(
  { trusted_ca: ca, system_root_certs: system }: Decoded<typeof CertificateValidationContext>,
  problems: Problems,
): SecretRef | undefined {
  if (ca !== undefined) {
    return problems.within('trusted_ca', () => {
      const pem = pemFromXds(ca, problems);
      if (pem === '') {
        return undefined;
      }
      try {
        // As many as there are: what an operating system trusts is more than what a mesh may have for its own.
        const roots = splitPem(pem, 'CERTIFICATE').map((text) => new X509Certificate(text).toString());
        if (roots.length > 0) {
          return rootsOf(nameOf(ca), roots.join(''));
        }
        problems.add('there is no certificate in it');
      } catch {
        problems.add('a certificate in it is not readable');
      }
      return undefined;
    });
  }
  if (system !== undefined) {
    return systemRoots();
  }
  problems.add('required', 'trusted_ca');
  return undefined;
}

/** A certificate and its key that stand in the configuration or in files. */
export function givenKeyPairFromXds(
  certificate: Decoded<typeof TlsCertificate>,
  problems: Problems,
): SecretRef | undefined {
  const { certificate_chain: chain, private_key: key } = certificate;
  if (chain === undefined || key === undefined) {
    problems.add('certificate_chain and private_key are required');
    return undefined;
  }
  const chainPem = problems.within('certificate_chain', () => pemFromXds(chain, problems));
  const keyPem = problems.within('private_key', () => pemFromXds(key, problems));
  const pair = chainPem === '' || keyPem === '' ? undefined : certificateFromXds(chainPem, keyPem, problems);
  if (pair === undefined) {
    return undefined;
  }
  return {
    source: 'given',
    name: nameOf(chain),
    material: {
      kind: 'key-pair',
      certificateChainPem: chainPem,
      privateKeyPem: () => pair.revealPem(),
      version: `${hash('sha256', chainPem)}-${pair.fingerprint()}`,
    },
  };
}

let system: SecretRef | undefined;

/** Read once: they are many, and change with the machine only. */
function systemRoots(): SecretRef {
  system ??= rootsOf('system', getCACertificates('system').join('\n'));
  return system;
}

function rootsOf(name: string, pem: string): SecretRef {
  return { source: 'given', name, material: { kind: 'trust-bundle', pem, version: hash('sha256', pem) } };
}

function nameOf({ filename }: Decoded<typeof DataSource>): string {
  return filename ?? 'inline';
}
