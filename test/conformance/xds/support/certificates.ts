import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger, systemClock } from '@weft/base';
import { createCsr, formatWorkloadId, generatePrivateKey } from '@weft/identity';
import { CertificateAuthority } from '@weft/identity/authority';
import type { EncodedResource } from '@weft/xds-server';
import { keyPair, trustBundle } from './resources.ts';

export interface KeyPairPem {
  readonly chainPem: string;
  readonly keyPem: string;
}

/** Certificates of one authority, as PEM and as secrets. */
export interface Certificates {
  readonly trustBundlePem: string;
  readonly issue: (serviceAccount: string) => Promise<KeyPairPem>;
  readonly pair: KeyPairPem;
  readonly otherPair: KeyPairPem;
  keyPairSecret(name: string, pair?: KeyPairPem): EncodedResource;
  /** The certificate of one pair with the key of another. */
  mismatchedSecret(name: string): EncodedResource;
  trustSecret(name: string): EncodedResource;
}

/** A new authority; nothing of it stays on disk. */
export async function certificates(): Promise<Certificates> {
  const folder = await mkdtemp(join(tmpdir(), 'weft-xds-conformance-'));
  try {
    const authority = await CertificateAuthority.open({ folder, clock: systemClock, logger: silentLogger });
    const issue = async (serviceAccount: string): Promise<KeyPairPem> => {
      const identity = formatWorkloadId({ trustDomain: 'cluster.local', namespace: 'test', serviceAccount });
      const key = await generatePrivateKey();
      const { certChain } = await authority.issueSvid({ csrPem: createCsr(key, identity), identity });
      const keyPem = key.reveal().export({ type: 'pkcs8', format: 'pem' }).toString();
      return { chainPem: certChain.join(''), keyPem };
    };
    const [pair, otherPair] = [await issue('one'), await issue('two')];
    const trustBundlePem = authority.trustBundle.value.pem;
    return {
      trustBundlePem,
      issue,
      pair,
      otherPair,
      keyPairSecret: (name, used = pair) => keyPair(name, used.chainPem, used.keyPem),
      mismatchedSecret: (name) => keyPair(name, pair.chainPem, otherPair.keyPem),
      trustSecret: (name) => trustBundle(name, trustBundlePem),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
