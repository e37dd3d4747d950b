import { constants, X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import type { Clock } from '@weft/base';
import type { SecretSource } from '../data-plane.ts';
import type { SecretMaterial, SecretRef, TlsCommon } from '../runtime-config/config.ts';
import { CertificateChoice } from './certificate-choice.ts';
import { issuersSignedBy } from './known-issuers.ts';
import type { NativeTls } from './native-tls.ts';
import { PeerCache } from './peer-cache.ts';
import { subjectAltNamesOf } from './peer-verification.ts';

/** Key pair and trust of one TLS configuration at one moment. */
export interface TlsMaterial {
  readonly secureContext: SecureContext;
  /** What the context was made of, for `tls.Server`, which makes its own. */
  readonly options: SecureContextOptions;
  /** Changes when a certificate, a key, the trust bundle or what is revoked does. */
  readonly version: string;
  /** When what is known to be revoked ends, milliseconds since the epoch; `Infinity` when nothing is or it never ends. */
  readonly revokedEndsMs: number;
  /** First URI SAN of our certificate, empty when there is none. */
  readonly localUri: string;
  /** End of our certificate, milliseconds since the epoch; `Infinity` when there is none. */
  readonly notAfterMs: number;
}

/** What keeps a TLS configuration from being used. */
export interface TlsUnavailable {
  readonly missing: readonly string[];
}

/** Contexts that are kept; each takes some 100 KB. The one used for longest goes first and is made again when it is asked for. */
const maxContexts = 64;

/**
 * What is offered and taken in which order: with the keys of both ends in hardware AES-128-GCM with SHA-256 is the cheapest, and as strong as the P-256
 * certificates of the mesh. The order among those of TLS 1.2 is the one of Envoy's defaults.
 */
const tls13Ciphers: readonly string[] = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
];
const tls12Ciphers: readonly string[] = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
];

/** Envoy's default. The hybrid with ML-KEM that OpenSSL would put first costs a tenth of a handshake more and 2 KB in it. */
const groups = 'X25519:P-256';

/**
 * Makes OpenSSL contexts out of secrets. Configurations with the same secrets and parameters share one, as a listener does with the one that
 * replaces it: so sessions resume across changes of the configuration, but under no other certificate or trust than they began with,
 * as a context has its own ticket keys.
 */
export class TlsContexts {
  /** OpenSSL without Node's streams; undefined: through `TLSSocket`. */
  readonly native: NativeTls | undefined;
  readonly peers: PeerCache = new PeerCache();
  readonly #secrets: SecretSource;
  readonly #clock: Clock;
  /** By secrets and parameters, used last at the end. */
  readonly #materials = new Map<string, TlsMaterial>();
  readonly #choice = new CertificateChoice();
  /** Where the material of a configuration was found last. */
  readonly #found = new WeakMap<TlsCommon, { readonly version: string; readonly key: string }>();

  constructor(secrets: SecretSource, clock: Clock, native: NativeTls | undefined) {
    this.#secrets = secrets;
    this.#clock = clock;
    this.native = native;
  }

  /** Wall clock, milliseconds. */
  now(): number {
    return this.#clock.now();
  }

  /** The secrets that are not there yet, by name. */
  missing(tls: TlsCommon): readonly string[] {
    return refsOf(tls)
      .filter((ref) => this.#secret(ref) === undefined)
      .map((ref) => `secret ${ref.name}`);
  }

  #secret(ref: SecretRef): SecretMaterial | undefined {
    return ref.source === 'given' ? ref.material : this.#secrets.get(ref);
  }

  /**
   * The current material; `missing` when a secret is not there, or is of the wrong kind or not usable.
   * @param serverName what a client asked for: it chooses among several certificates.
   */
  get(tls: TlsCommon, serverName: string = ''): TlsMaterial | TlsUnavailable {
    let materials: SecretMaterial[] = [];
    const missing: string[] = [];
    const refs = refsOf(tls);
    for (const ref of refs) {
      const material = this.#secret(ref);
      if (material === undefined) {
        missing.push(`secret ${ref.name}`);
      } else {
        materials.push(material);
      }
    }
    if (missing.length > 0) {
      return { missing };
    }
    let chosen = '';
    if (tls.certificates.length > 1) {
      const all = materials;
      materials = this.#choice.of(all, serverName);
      // Secrets that came together may have the same version.
      chosen = materials.map((material) => all.indexOf(material)).join(',');
    }
    const versions = materials.map((material) => `${material.kind}=${material.version}`);
    const { revoked } = tls.validation ?? {};
    const version = chosen + [...versions, ...(revoked === undefined ? [] : [`revoked=${revoked.version}`])].join(' ');
    const found = this.#found.get(tls);
    const key = found?.version === version ? found.key : JSON.stringify([version, namesOf(refs), parametersOf(tls)]);
    const known = this.#materials.get(key);
    if (known !== undefined) {
      this.#materials.delete(key);
      this.#materials.set(key, known);
      return known;
    }
    try {
      const material = buildMaterial(tls, materials, version);
      if (this.#materials.size >= maxContexts) {
        const [oldest] = this.#materials.keys();
        this.#materials.delete(oldest ?? '');
      }
      this.#materials.set(key, material);
      this.#found.set(tls, { version, key });
      return material;
    } catch (error) {
      return { missing: [`a usable key pair: ${error instanceof Error ? error.message : String(error)}`] };
    }
  }
}

/** What of a configuration goes into a context, besides its secrets. */
function parametersOf(tls: TlsCommon): unknown[] {
  return [
    tls.minVersion,
    tls.maxVersion,
    tls.cipherSuites,
    tls.certificates.length === 0,
    tls.validation === undefined,
  ];
}

function refsOf(tls: TlsCommon): SecretRef[] {
  const refs: SecretRef[] = [...tls.certificates];
  if (tls.validation !== undefined) {
    refs.push(tls.validation.trustBundle);
  }
  return refs;
}

function namesOf(refs: readonly SecretRef[]): unknown[] {
  return refs.map(({ source, name }) => [source, name]);
}

function buildMaterial(tls: TlsCommon, materials: readonly SecretMaterial[], version: string): TlsMaterial {
  const keyPairs = materials.filter((material) => material.kind === 'key-pair');
  const [keyPair] = keyPairs;
  const bundle = materials.find((material) => material.kind === 'trust-bundle');
  if (tls.certificates.length > 0 && keyPair === undefined) {
    throw new TypeError(`${tls.certificates[0]?.name} is no key pair`);
  }
  if (tls.validation !== undefined && bundle === undefined) {
    throw new TypeError(`${tls.validation.trustBundle.name} is no trust bundle`);
  }
  const chain =
    keyPair === undefined ? [] : splitPem(keyPair.certificateChainPem).map((pem) => new X509Certificate(pem));
  const roots = bundle === undefined ? [] : splitPem(bundle.pem);
  const revoked = bundle?.revoked ?? tls.validation?.revoked;
  // What an authority has revoked is looked for in a chain up to its root: it must not end before.
  const issuers =
    bundle === undefined || chain.length === 0 || revoked !== undefined
      ? []
      : issuersSignedBy(roots.flatMap(readableCertificate), chain);
  const options: SecureContextOptions = {
    ...(keyPair === undefined
      ? {}
      : {
          cert: keyPairs.map((pair) => pair.certificateChainPem),
          key: keyPairs.map((pair) => pair.privateKeyPem()),
        }),
    // Without validation nothing may be trusted by accident: an empty list keeps Node's built-in roots out.
    ca: [...roots, ...issuers.map(String)],
    ...(revoked === undefined ? {} : { crl: [...revoked.pems] }),
    minVersion: tls.minVersion,
    maxVersion: tls.maxVersion,
    // A configuration chooses among the suites of TLS 1.2 only; a list without those of 1.3 would turn it off.
    ciphers: [...tls13Ciphers, ...(tls.cipherSuites.length === 0 ? tls12Ciphers : tls.cipherSuites)].join(':'),
    honorCipherOrder: true,
    ecdhCurve: groups,
    // Of TLS 1.2: a client may not make us do handshakes on and on (Node lets it, OpenSSL alone would not).
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    sessionIdContext: 'weft',
    // An intermediate or a bundle entry is enough to trust what it signed: bundles of a mesh hold issuers.
    allowPartialTrustChain: true,
  };
  const [own] = chain;
  return {
    secureContext: createSecureContext(options),
    options,
    version,
    revokedEndsMs: revoked?.endsMs ?? Number.POSITIVE_INFINITY,
    localUri: own === undefined ? '' : (subjectAltNamesOf(own).uris[0] ?? ''),
    notAfterMs: own === undefined ? Number.POSITIVE_INFINITY : own.validToDate.getTime(),
  };
}

/** What cannot be read is OpenSSL's to refuse. */
function readableCertificate(pem: string): X509Certificate[] {
  try {
    return [new X509Certificate(pem)];
  } catch {
    return [];
  }
}

/** Each certificate of a bundle by itself: OpenSSL's reader of one text would stop at the first that it cannot read. */
function splitPem(pem: string): string[] {
  return pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
}
