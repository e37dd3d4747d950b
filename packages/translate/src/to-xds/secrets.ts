import type { WorkloadIr } from '@weft/ir';
import { typeUrls } from '@weft/xds-types';
import { DataSource } from '@weft/xds-types/envoy/config/core/v3/base.ts';
import {
  CertificateValidationContext,
  TlsCertificate,
} from '@weft/xds-types/envoy/extensions/transport_sockets/tls/v3/common.ts';
import { Secret as SecretMessage } from '@weft/xds-types/envoy/extensions/transport_sockets/tls/v3/secret.ts';
import type { Secret } from '../kinds.ts';
import { originOf } from '../origin.ts';
import type { MeshState } from '../state/mesh-state.ts';
import { holdsCertificate } from '../to-ir/key-pair-secret.ts';
import { revocationKeys, revocationListProblem, rootsKeys, rootsSuffix } from '../to-ir/roots-secret.ts';
import { caBundleMessage } from './ca-bundle.ts';
import { create, perObject, type XdsMessage, xdsMessage } from './message.ts';

/** What names of secrets on the wire begin with: `kubernetes://<namespace>/<name>`. */
const prefix = 'kubernetes://';

/**
 * The secrets that one proxy's configuration refers to, and no others. Their contents are in no IR and in no dump. What is missing or not
 * usable is left out: the listener that needs it is not opened.
 */
export function secretMessages(state: MeshState, ir: WorkloadIr): readonly XdsMessage[] {
  return [...secretNames(ir)].sort().flatMap((name) => {
    if (!name.startsWith(prefix)) {
      return caBundleMessage(state, name) ?? [];
    }
    const key = name.slice(prefix.length);
    if (!key.endsWith(rootsSuffix)) {
      const secret = state.object('/Secret', key);
      return secret === undefined ? [] : (keyPairMessage(secret) ?? []);
    }
    // A Secret of the roots alone comes before those that stand with a key pair; that may be a key pair with an unlucky name.
    const apart = state.object('/Secret', key);
    const beside = state.object('/Secret', key.slice(0, -rootsSuffix.length));
    return (
      (apart && (rootsApartMessage(apart) ?? keyPairMessage(apart))) ?? (beside && rootsBesideMessage(beside)) ?? []
    );
  });
}

function secretNames(ir: WorkloadIr): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { chains } of ir.gateway) {
    for (const { tls } of chains) {
      for (const name of tls === undefined || tls.certificates === 'mesh' ? [] : tls.certificates) {
        if (typeof name === 'string') {
          names.add(name);
        }
      }
      if (tls !== undefined && tls.client.kind !== 'none' && tls.client.roots.kind === 'secret') {
        names.add(tls.client.roots.name);
      }
    }
  }
  for (const { tls } of ir.clusters) {
    if (tls.kind === 'originate') {
      const { roots, certificate } = tls.origination;
      if (roots.kind === 'secret') {
        names.add(roots.name);
      }
      if (certificate?.kind === 'secret') {
        names.add(certificate.name);
      }
    }
  }
  return names;
}

/** Key pairs as `kubernetes.io/tls` has them, or by the older names that Istio takes, too. */
const keyPairMessage: (secret: Secret) => XdsMessage | undefined = perObject((secret) => {
  const certificateChain = publicPart(secret, 'tls.crt') ?? publicPart(secret, 'cert');
  const privateKey = bytesOf(secret, 'tls.key') ?? bytesOf(secret, 'key');
  if (certificateChain === undefined || privateKey === undefined) {
    return undefined;
  }
  const name = `${prefix}${secret.metadata.namespace ?? ''}/${secret.metadata.name}`;
  const message = create(SecretMessage, {
    name,
    type: {
      $case: 'tlsCertificate',
      value: create(TlsCertificate, { certificateChain, privateKey }),
    },
  });
  return xdsMessage(typeUrls.secret, name, SecretMessage, message, [originOf(secret)]);
});

const rootsApartMessage: (secret: Secret) => XdsMessage | undefined = perObject((secret) => rootsMessage(secret, ''));
const rootsBesideMessage: (secret: Secret) => XdsMessage | undefined = perObject((secret) =>
  rootsMessage(secret, rootsSuffix),
);

function rootsMessage(secret: Secret, suffix: string): XdsMessage | undefined {
  const roots = rootsKeys.find((key) => holdsCertificate(secret, key));
  if (roots === undefined || revocationListProblem(secret) !== undefined) {
    return undefined;
  }
  const trustedCa = publicPart(secret, roots);
  const revoked = revocationKeys.find((key) => secret.data?.[key] !== undefined);
  const crl = revoked === undefined ? undefined : publicPart(secret, revoked);
  const name = `${prefix}${secret.metadata.namespace ?? ''}/${secret.metadata.name}${suffix}`;
  const message = create(SecretMessage, {
    name,
    type: { $case: 'validationContext', value: create(CertificateValidationContext, { trustedCa, crl }) },
  });
  return xdsMessage(typeUrls.secret, name, SecretMessage, message, [originOf(secret)]);
}

function bytesOf(secret: Secret, key: string): DataSource | undefined {
  const value = secret.data?.[key];
  return value === undefined ? undefined : dataSource(Buffer.from(value, 'base64'));
}

/** What stands for certificates is shown in dumps: a key that somebody left in the same file is taken out. */
function publicPart(secret: Secret, key: string): DataSource | undefined {
  const value = secret.data?.[key];
  return value === undefined
    ? undefined
    : dataSource(Buffer.from(withoutKeys(Buffer.from(value, 'base64').toString('latin1')), 'latin1'));
}

function withoutKeys(pem: string): string {
  let inKey = false;
  const lines = pem.split('\n').filter((line) => {
    inKey ||= line.startsWith('-----BEGIN ') && line.includes('PRIVATE KEY-----');
    const isKey = inKey;
    inKey &&= !line.startsWith('-----END ');
    return !isKey;
  });
  return lines.join('\n');
}

function dataSource(bytes: Buffer): DataSource {
  return create(DataSource, { specifier: { $case: 'inlineBytes', value: new Uint8Array(bytes) } });
}
