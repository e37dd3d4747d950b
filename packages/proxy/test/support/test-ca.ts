import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@weft/base';
import { createCsr, generatePrivateKey, parseSpiffeId } from '@weft/identity';
import { CertificateAuthority } from '@weft/identity/authority';
import type { SecretMaterial } from '../../src/data-plane.ts';
import type { DownstreamTls, SecretRef, SubjectAltNameMatch, UpstreamTls } from '../../src/runtime-config/config.ts';

export const ownKeyPair: SecretRef = { source: 'local', name: 'default' };
export const meshRoots: SecretRef = { source: 'ads', name: 'ROOTCA' };

let lastVersion = 0;

/** A CA in a folder of its own. */
export class TestCa {
  readonly #ca: CertificateAuthority;
  readonly #folder: string;

  private constructor(ca: CertificateAuthority, folder: string) {
    this.#ca = ca;
    this.#folder = folder;
  }

  static async create(): Promise<TestCa> {
    const folder = await mkdtemp(join(tmpdir(), 'weft-test-ca-'));
    return new TestCa(await CertificateAuthority.open({ folder, logger: silentLogger }), folder);
  }

  get roots(): SecretMaterial {
    return { kind: 'trust-bundle', pem: this.#ca.trustBundle.value.pem, version: `roots-${++lastVersion}` };
  }

  /** A new key pair for a service account of namespace `shop`. */
  async keyPair(serviceAccount: string): Promise<SecretMaterial> {
    const parsed = parseSpiffeId(spiffe(serviceAccount));
    if (!('id' in parsed)) {
      throw new Error(`bad id: ${JSON.stringify(parsed)}`);
    }
    const key = await generatePrivateKey();
    const issued = await this.#ca.issueSvid({ csrPem: createCsr(key, parsed.id), identity: parsed.id });
    return {
      kind: 'key-pair',
      certificateChainPem: issued.certChain.slice(0, 2).join('\n'),
      privateKeyPem: () => key.revealPem(),
      version: `pair-${++lastVersion}`,
    };
  }

  async close(): Promise<void> {
    this.#ca.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** A key pair as Node's TLS takes it. */
export function pemOf(material: SecretMaterial): { readonly cert: string; readonly key: string } {
  assert.ok(material.kind === 'key-pair');
  return { cert: material.certificateChainPem, key: String(material.privateKeyPem()) };
}

export function spiffe(serviceAccount: string): string {
  return `spiffe://cluster.local/ns/shop/sa/${serviceAccount}`;
}

export function exactly(...values: readonly string[]): SubjectAltNameMatch[] {
  return values.map((value) => ({ type: 'URI', match: { kind: 'exact', value, ignoreCase: false } }));
}

const common = {
  certificates: [ownKeyPair],
  alpn: ['http/1.1'],
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
  cipherSuites: [],
} as const;

export function serverTls(
  accepts: readonly SubjectAltNameMatch[] = [],
  overrides: Partial<DownstreamTls> = {},
): DownstreamTls {
  return {
    ...common,
    validation: { trustBundle: meshRoots, subjectAltNames: accepts, acceptUntrusted: false },
    requireClientCertificate: true,
    ...overrides,
  };
}

export function clientTls(accepts: readonly SubjectAltNameMatch[], overrides: Partial<UpstreamTls> = {}): UpstreamTls {
  return {
    ...common,
    validation: { trustBundle: meshRoots, subjectAltNames: accepts, acceptUntrusted: false },
    sni: 'outbound_.80_._.catalog.shop.svc.cluster.local',
    ...overrides,
  };
}
