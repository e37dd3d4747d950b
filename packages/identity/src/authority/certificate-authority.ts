import type { KeyObject } from 'node:crypto';
import { type Clock, invariant, type Logger, MeshError, systemClock, type Timer, Watch } from '@weft/base';
import { parseCertificate, type Validity, validityOf } from '../certificate.ts';
import { generatePrivateKey } from '../csr.ts';
import { splitPem } from '../pem.ts';
import { PrivateKey } from '../redacted.ts';
import { type SpiffeId, trustDomainProblem } from '../spiffe-id.ts';
import { createTrustBundle, type TrustBundle } from '../trust-bundle.ts';
import { type CaPaths, caPaths, readPrivateFile, writePrivateFile } from './ca-files.ts';
import { publicKeyOfCsr } from './csr-check.ts';
import { type Issuer, issueCa, issueLeaf, type SubjectNames } from './issue.ts';

const second = 1_000;
const hour = 3_600 * second;
const day = 24 * hour;

/**
 * How far before its making a certificate begins, for peers whose clock is slow: at most this, and at most a tenth of its
 * life, so that one with a short life is not due for renewal when it is new.
 */
export const backdateMs = 60 * second;
/** Shortest life that is granted to a certificate. */
export const minLeafTtlMs = 5 * second;

export interface CertificateAuthorityOptions {
  /** Holds `root/` and `issuing/`. */
  readonly folder: string;
  /** Default `cluster.local`. */
  readonly trustDomain?: string;
  /** Life of an SVID that asks for none, and the longest that is granted. Default 24 h. */
  readonly leafTtlMs?: number;
  /** Life of the issuing intermediate, at least three times {@link leafTtlMs}. Default 365 d. */
  readonly issuingTtlMs?: number;
  /** Life of the root. Default 10 years. */
  readonly rootTtlMs?: number;
  readonly clock?: Clock;
  readonly logger: Logger;
}

/** A certificate as it is handed out. */
export interface IssuedCertificate extends Validity {
  /** PEM blocks: leaf, intermediate, root. */
  readonly certChain: readonly string[];
}

/** A key pair that the CA made for the control plane itself or for an administrator. */
export interface IssuedKeyPair extends Validity {
  /** PEM, leaf and intermediate. */
  readonly chainPem: string;
  readonly key: PrivateKey;
}

/**
 * The mesh's CA. The root signs intermediates and nothing else: its key is read from disk for that moment only. The
 * intermediate signs everything else and is replaced when a third of its life is left.
 */
export class CertificateAuthority {
  readonly trustDomain: string;
  readonly leafTtlMs: number;
  /** What verifiers are to trust. */
  readonly trustBundle: Watch<TrustBundle>;
  /** How many certificates were signed since the start, by use. */
  readonly issuedCount = { svid: 0, server: 0, client: 0, issuing: 0 };
  readonly #issuing: Watch<Issuer>;
  readonly #paths: CaPaths;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #issuingTtlMs: number;
  #timer: Timer | undefined;
  /** In flight: whoever else wants a rotation joins it. */
  #rotation: Promise<void> | undefined;

  private constructor(
    options: CertificateAuthorityOptions & {
      readonly trustDomain: string;
      readonly leafTtlMs: number;
      readonly issuingTtlMs: number;
    },
    paths: CaPaths,
    root: TrustBundle,
    issuing: Issuer,
  ) {
    this.trustDomain = options.trustDomain;
    this.leafTtlMs = options.leafTtlMs;
    this.#issuingTtlMs = options.issuingTtlMs;
    this.trustBundle = new Watch(root);
    this.#issuing = new Watch(issuing);
    this.#paths = paths;
    this.#clock = options.clock ?? systemClock;
    this.#logger = options.logger;
  }

  /**
   * Reads the CA of `folder`, or makes it when the folder is empty.
   * @throws MeshError `BAD_CONFIGURATION`, `PERMISSION_DENIED`, `CERTIFICATE_INVALID`, `STORAGE_CORRUPT`, `DISK_FULL`.
   */
  static async open(options: CertificateAuthorityOptions): Promise<CertificateAuthority> {
    const trustDomain = options.trustDomain ?? 'cluster.local';
    const leafTtlMs = options.leafTtlMs ?? day;
    const issuingTtlMs = options.issuingTtlMs ?? Math.max(365 * day, 3 * leafTtlMs);
    const problem = trustDomainProblem(trustDomain);
    if (problem !== undefined) {
      throw new MeshError('BAD_CONFIGURATION', `trust domain ${JSON.stringify(trustDomain)}: ${problem}`);
    }
    if (leafTtlMs < minLeafTtlMs || issuingTtlMs < 3 * leafTtlMs) {
      throw new MeshError(
        'BAD_CONFIGURATION',
        `certificate life of ${leafTtlMs} ms under an intermediate of ${issuingTtlMs} ms`,
        {
          hint: `Certificates live at least ${minLeafTtlMs} ms and the intermediate at least three times as long.`,
        },
      );
    }
    const clock = options.clock ?? systemClock;
    const paths = caPaths(options.folder);
    const root = await openRoot(paths, trustDomain, clock, options.rootTtlMs ?? 3_650 * day);
    const issuing =
      (await readIssuing(paths, root)) ?? (await makeIssuing(paths, root, trustDomain, clock, issuingTtlMs));
    const ca = new CertificateAuthority({ ...options, trustDomain, leafTtlMs, issuingTtlMs }, paths, root, issuing);
    await ca.#rotateIfDue();
    ca.#schedule();
    return ca;
  }

  /** When the current intermediate ends and its serial number, for status and metrics. */
  get issuing(): Validity & { readonly serialNumber: string } {
    const { certificate } = this.#issuing.value;
    return { ...validityOf(certificate), serialNumber: certificate.serialNumber };
  }

  /** Told after the intermediate was replaced; certificates made before stay valid until they expire. */
  onIssuingChanged(listener: () => void): () => void {
    return this.#issuing.subscribe(listener);
  }

  /**
   * Signs an X509-SVID for an authenticated identity.
   * @param request `ttlMs` 0 or absent: the CA's default; more than that is cut to it.
   * @throws MeshError `INVALID` or `TOO_LARGE`, see {@link publicKeyOfCsr}; `FORBIDDEN` for another trust domain.
   */
  async issueSvid(request: {
    readonly csrPem: string;
    readonly identity: SpiffeId;
    readonly ttlMs?: number;
  }): Promise<IssuedCertificate> {
    if (!request.identity.startsWith(`spiffe://${this.trustDomain}/`)) {
      throw new MeshError('FORBIDDEN', `${request.identity} is not of the trust domain ${this.trustDomain}`);
    }
    const publicKey = await publicKeyOfCsr(request.csrPem, request.identity);
    const issued = await this.#issueLeaf(
      publicKey,
      [],
      { uris: [request.identity] },
      ['server', 'client'],
      request.ttlMs,
    );
    this.issuedCount.svid += 1;
    return issued;
  }

  /** A key and certificate for a server of the control plane, valid for `ttlMs` (default: as an SVID). */
  async issueServer(names: SubjectNames, ttlMs?: number): Promise<IssuedKeyPair> {
    const commonName = names.dnsNames?.[0] ?? names.ipAddresses?.[0] ?? 'weft';
    const pair = await this.#issuePair([{ CN: [commonName] }], names, ['server'], ttlMs);
    this.issuedCount.server += 1;
    return pair;
  }

  /** A key and certificate for a user of the API: common name = user, organizations = groups, as Kubernetes has it. */
  async issueClient(user: string, groups: readonly string[], ttlMs?: number): Promise<IssuedKeyPair> {
    const subject = [...groups.map((group) => ({ O: [group] })), { CN: [user] }];
    const pair = await this.#issuePair(subject, {}, ['client'], ttlMs);
    this.issuedCount.client += 1;
    return pair;
  }

  /** Replaces the intermediate now; a rotation in flight is joined. */
  rotateIssuing(): Promise<void> {
    this.#rotation ??= this.#rotate().finally(() => {
      this.#rotation = undefined;
    });
    return this.#rotation;
  }

  async #rotate(): Promise<void> {
    const made = await makeIssuing(
      this.#paths,
      this.trustBundle.value,
      this.trustDomain,
      this.#clock,
      this.#issuingTtlMs,
    );
    this.issuedCount.issuing += 1;
    this.#issuing.set(made);
    this.#logger.info('issuing CA replaced', { notAfter: made.certificate.validToDate.toISOString() });
  }

  /** Stops the rotation timer. */
  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  async #issuePair(
    subject: readonly Readonly<Record<string, readonly string[]>>[],
    names: SubjectNames,
    usages: readonly ('server' | 'client')[],
    ttlMs: number | undefined,
  ): Promise<IssuedKeyPair> {
    const key = await generatePrivateKey();
    const issued = await this.#issueLeaf(key.publicKey, subject, names, usages, ttlMs, Number.POSITIVE_INFINITY);
    return {
      chainPem: issued.certChain.slice(0, 2).join(''),
      key,
      notBefore: issued.notBefore,
      notAfter: issued.notAfter,
    };
  }

  async #issueLeaf(
    publicKey: KeyObject,
    subject: readonly Readonly<Record<string, readonly string[]>>[],
    names: SubjectNames,
    usages: readonly ('server' | 'client')[],
    ttlMs: number | undefined,
    maxTtlMs = this.leafTtlMs,
  ): Promise<IssuedCertificate> {
    await this.#rotateIfDue();
    const issuer = this.#issuing.value;
    const wished = ttlMs === undefined || ttlMs <= 0 ? this.leafTtlMs : ttlMs;
    const life = Math.min(Math.max(wished, minLeafTtlMs), maxTtlMs);
    const validity = boundedValidity(this.#clock.now(), life, validityOf(issuer.certificate));
    const leaf = await issueLeaf({ subject, names, usages, validity, publicKey }, issuer);
    const certChain = [leaf, issuer.certificate, ...this.trustBundle.value.roots].map((certificate) =>
      certificate.toString(),
    );
    return { certChain, ...validity };
  }

  /** Due when less than a third of the intermediate's life, or less than an SVID's life, is left. */
  #rotationTime(): number {
    const { notBefore, notAfter } = validityOf(this.#issuing.value.certificate);
    return notAfter - Math.max((notAfter - notBefore) / 3, this.leafTtlMs);
  }

  async #rotateIfDue(): Promise<void> {
    if (this.#clock.now() >= this.#rotationTime()) {
      await this.rotateIssuing();
    }
  }

  #schedule(): void {
    // Node's timers end at 2^31 ms; an hourly look is cheap and survives a suspended machine.
    const delay = Math.min(Math.max(this.#rotationTime() - this.#clock.now(), second), hour);
    this.#timer = this.#clock.setTimeout(
      () => {
        this.#rotateIfDue()
          .catch((error: unknown) => this.#logger.error('issuing CA could not be replaced', { error }))
          .finally(() => {
            if (this.#timer !== undefined) {
              this.#schedule();
            }
          });
      },
      delay,
      { unref: true },
    );
  }
}

/** X.509 times have whole seconds. The start is never before the issuer's, the end never after it. */
function boundedValidity(now: number, ttlMs: number, issuer: Validity): Validity {
  const backdate = Math.min(backdateMs, ttlMs / 10);
  const notBefore = Math.max(Math.floor((now - backdate) / second) * second, issuer.notBefore);
  const notAfter = Math.min(Math.ceil((now + ttlMs) / second) * second, issuer.notAfter);
  return { notBefore, notAfter };
}

async function openRoot(paths: CaPaths, trustDomain: string, clock: Clock, ttlMs: number): Promise<TrustBundle> {
  const certificatePem = await readPrivateFile(paths.rootCertificate);
  if (certificatePem !== undefined) {
    const certificate = parseCertificate(certificatePem);
    if (certificate.subjectAltName !== `URI:spiffe://${trustDomain}`) {
      throw new MeshError('BAD_CONFIGURATION', `the CA in ${paths.rootCertificate} is of another trust domain`, {
        hint: `Use the trust domain it was made for, or another state folder, instead of ${trustDomain}.`,
      });
    }
    return createTrustBundle([certificate]);
  }
  // The key is written first: a crash between the two writes leaves a key whose certificate is made at the next start.
  let keyPem = await readPrivateFile(paths.rootKey);
  if (keyPem === undefined) {
    keyPem = (await generatePrivateKey()).revealPem();
    await writePrivateFile(paths.rootKey, keyPem);
  }
  const key = PrivateKey.fromPem(keyPem);
  const now = clock.now();
  const certificate = await issueCa(
    {
      subject: [{ O: [trustDomain] }, { CN: ['Weft root CA'] }],
      names: { uris: [`spiffe://${trustDomain}`] },
      validity: boundedValidity(now, ttlMs, { notBefore: 0, notAfter: Number.POSITIVE_INFINITY }),
      publicKey: key.publicKey,
      pathLength: 1,
    },
    { selfKey: key },
  );
  await writePrivateFile(paths.rootCertificate, certificate.toString());
  return createTrustBundle([certificate]);
}

async function readIssuing(paths: CaPaths, bundle: TrustBundle): Promise<Issuer | undefined> {
  const text = await readPrivateFile(paths.issuing);
  if (text === undefined) {
    return undefined;
  }
  const [certificatePem] = splitPem(text, 'CERTIFICATE');
  const [keyPem] = splitPem(text, 'PRIVATE KEY');
  if (certificatePem === undefined || keyPem === undefined) {
    throw new MeshError('STORAGE_CORRUPT', `${paths.issuing} does not hold a certificate and its key`, {
      hint: 'Remove the file: a new intermediate is made from the root.',
    });
  }
  const certificate = parseCertificate(certificatePem);
  const key = PrivateKey.fromPem(keyPem);
  const [root] = bundle.roots;
  invariant(root !== undefined, 'a trust bundle has at least one root');
  if (!certificate.checkPrivateKey(key.reveal()) || !certificate.verify(root.publicKey)) {
    throw new MeshError('STORAGE_CORRUPT', `${paths.issuing} does not belong to ${paths.rootCertificate}`, {
      hint: 'Remove the file: a new intermediate is made from the root.',
    });
  }
  return { certificate, key };
}

async function makeIssuing(
  paths: CaPaths,
  bundle: TrustBundle,
  trustDomain: string,
  clock: Clock,
  ttlMs: number,
): Promise<Issuer> {
  const rootKeyPem = await readPrivateFile(paths.rootKey);
  if (rootKeyPem === undefined) {
    throw new MeshError('NOT_FOUND', `${paths.rootKey} is needed to make an intermediate and is not there`, {
      hint: 'Put the root key back for the moment of the rotation.',
    });
  }
  const rootKey = PrivateKey.fromPem(rootKeyPem);
  const root = bundle.roots.find((candidate) => candidate.checkPrivateKey(rootKey.reveal()));
  if (root === undefined) {
    throw new MeshError('STORAGE_CORRUPT', `${paths.rootKey} does not belong to ${paths.rootCertificate}`);
  }
  const key = await generatePrivateKey();
  const certificate = await issueCa(
    {
      subject: [{ O: [trustDomain] }, { CN: ['Weft issuing CA'] }],
      names: { uris: [`spiffe://${trustDomain}`] },
      validity: boundedValidity(clock.now(), ttlMs, validityOf(root)),
      publicKey: key.publicKey,
      pathLength: 0,
    },
    { certificate: root, key: rootKey },
  );
  await writePrivateFile(paths.issuing, `${certificate.toString()}${key.revealPem()}`);
  return { certificate, key };
}
