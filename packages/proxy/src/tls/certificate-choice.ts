import { X509Certificate } from 'node:crypto';
import type { SecretMaterial } from '../runtime-config/config.ts';
import { isCoveredBy, subjectAltNamesOf } from './peer-verification.ts';

/** Certificates that are kept taken apart. */
const maxKnown = 256;

interface Traits {
  readonly dnsNames: readonly string[];
  /** `rsa`, `ec`, …: OpenSSL holds one certificate of each, and takes the one that the client can verify. */
  readonly keyType: string;
}

type KeyPair = Extract<SecretMaterial, { readonly kind: 'key-pair' }>;

/** Chooses among the certificates of a server as Envoy does: exact names, then wildcards, else the first ones there are. */
export class CertificateChoice {
  readonly #known = new Map<string, Traits>();
  readonly #limit: number;

  constructor(limit: number = maxKnown) {
    this.#limit = limit;
  }

  /** @returns `materials` with the chosen key pairs only: at most one of each type of key. */
  of(materials: readonly SecretMaterial[], serverName: string): SecretMaterial[] {
    const name = serverName.toLowerCase();
    const pairs = materials.filter((material) => material.kind === 'key-pair');
    const having = (fits: (pattern: string) => boolean): readonly KeyPair[] =>
      pairs.filter((pair) => this.#traits(pair).dnsNames.some(fits));
    const exact = having((pattern) => pattern.toLowerCase() === name);
    const wild = exact.length > 0 ? [] : having((pattern) => isCoveredBy(name, pattern));
    const [candidates = pairs] = [exact, wild].filter((list) => list.length > 0);
    const types = new Set<string>();
    const chosen = candidates.filter((pair) => {
      const { keyType } = this.#traits(pair);
      return !types.has(keyType) && types.add(keyType);
    });
    return [...chosen, ...materials.filter((material) => material.kind !== 'key-pair')];
  }

  #traits(pair: KeyPair): Traits {
    const known = this.#known.get(pair.certificateChainPem);
    if (known !== undefined) {
      return known;
    }
    const certificate = new X509Certificate(pair.certificateChainPem);
    const traits: Traits = {
      dnsNames: subjectAltNamesOf(certificate).dnsNames,
      keyType: certificate.publicKey.asymmetricKeyType ?? '',
    };
    if (this.#known.size >= this.#limit) {
      const [oldest] = this.#known.keys();
      this.#known.delete(oldest ?? '');
    }
    this.#known.set(pair.certificateChainPem, traits);
    return traits;
  }
}
