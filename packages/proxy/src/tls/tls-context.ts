import { X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import type { Clock } from '@weft/base';
import type { SecretMaterial, SecretSource } from '../data-plane.ts';
import type { SecretRef, TlsCommon } from '../runtime-config/config.ts';
import { subjectAltNamesOf } from './peer-verification.ts';
import type { PeerCertificate } from './tls-facts.ts';

/** Key pair and trust of one TLS configuration at one moment. */
export interface TlsMaterial {
  readonly secureContext: SecureContext;
  /** What the context was made of, for servers, which make their own. */
  readonly options: SecureContextOptions;
  /** Changes when a certificate, a key or the trust bundle does. */
  readonly version: string;
  /** First URI SAN of our certificate, empty when there is none. */
  readonly localUri: string;
}

/** What keeps a TLS configuration from being used. */
export interface TlsUnavailable {
  readonly missing: readonly string[];
}

interface CacheEntry {
  readonly version: string;
  readonly material: TlsMaterial;
}

/**
 * Makes OpenSSL contexts out of secrets, one for each TLS configuration and version of its secrets. A context has its
 * own ticket keys: sessions resume only under the same certificate and trust as they began.
 */
export class TlsContexts {
  readonly #secrets: SecretSource;
  readonly #clock: Clock;
  readonly #cache = new WeakMap<TlsCommon, CacheEntry>();

  constructor(secrets: SecretSource, clock: Clock) {
    this.#secrets = secrets;
    this.#clock = clock;
  }

  /**
   * Whether the certificate of a peer has ended. OpenSSL looks at it in a full handshake only, and each resumed one hands out
   * the ticket for the next: without this a peer could go on for ever after its certificate.
   */
  hasExpired(peer: PeerCertificate): boolean {
    return this.#clock.now() > peer.certificate.validToDate.getTime();
  }

  /** The secrets that are not there yet, by name. */
  missing(tls: TlsCommon): readonly string[] {
    return refsOf(tls)
      .filter((ref) => this.#secrets.get(ref) === undefined)
      .map((ref) => `secret ${ref.name}`);
  }

  /** The current material; `missing` when a secret is not there, or is of the wrong kind or not usable. */
  get(tls: TlsCommon): TlsMaterial | TlsUnavailable {
    const materials: SecretMaterial[] = [];
    const missing: string[] = [];
    for (const ref of refsOf(tls)) {
      const material = this.#secrets.get(ref);
      if (material === undefined) {
        missing.push(`secret ${ref.name}`);
      } else {
        materials.push(material);
      }
    }
    if (missing.length > 0) {
      return { missing };
    }
    const version = materials.map((material) => `${material.kind}=${material.version}`).join(' ');
    const cached = this.#cache.get(tls);
    if (cached !== undefined && cached.version === version) {
      return cached.material;
    }
    try {
      const material = buildMaterial(tls, materials, version);
      this.#cache.set(tls, { version, material });
      return material;
    } catch (error) {
      return { missing: [`a usable key pair: ${error instanceof Error ? error.message : String(error)}`] };
    }
  }
}

function refsOf(tls: TlsCommon): SecretRef[] {
  const refs: SecretRef[] = [];
  if (tls.certificate !== undefined) {
    refs.push(tls.certificate);
  }
  if (tls.validation !== undefined) {
    refs.push(tls.validation.trustBundle);
  }
  return refs;
}

function buildMaterial(tls: TlsCommon, materials: readonly SecretMaterial[], version: string): TlsMaterial {
  const keyPair = materials.find((material) => material.kind === 'key-pair');
  const bundle = materials.find((material) => material.kind === 'trust-bundle');
  if (tls.certificate !== undefined && keyPair === undefined) {
    throw new TypeError(`${tls.certificate.name} is no key pair`);
  }
  if (tls.validation !== undefined && bundle === undefined) {
    throw new TypeError(`${tls.validation.trustBundle.name} is no trust bundle`);
  }
  const options: SecureContextOptions = {
    ...(keyPair === undefined ? {} : { cert: keyPair.certificateChainPem, key: keyPair.privateKeyPem() }),
    // Without validation nothing may be trusted by accident: an empty list keeps Node's built-in roots out.
    ca: bundle === undefined ? [] : splitPem(bundle.pem),
    minVersion: tls.minVersion,
    maxVersion: tls.maxVersion,
    ...(tls.cipherSuites.length === 0 ? {} : { ciphers: tls.cipherSuites.join(':') }),
    sessionIdContext: 'weft',
    // An intermediate or a bundle entry is enough to trust what it signed: bundles of a mesh hold issuers.
    allowPartialTrustChain: true,
  };
  const localUri =
    keyPair === undefined ? '' : (subjectAltNamesOf(new X509Certificate(keyPair.certificateChainPem)).uris[0] ?? '');
  return { secureContext: createSecureContext(options), options, version, localUri };
}

/** Each certificate of a bundle by itself: OpenSSL's reader of one text would stop at the first that it cannot read. */
function splitPem(pem: string): string[] {
  return pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
}
