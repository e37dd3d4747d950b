import type { X509Certificate } from 'node:crypto';
import { parseCertificate, spiffeIdOf, validityOf } from './certificate.ts';
import { splitPem } from './pem.ts';
import type { SpiffeId } from './spiffe-id.ts';
import type { TrustBundle } from './trust-bundle.ts';

/** Most certificates between a leaf and its root, the leaf included. */
export const maxChainLength = 5;

const usageOids = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' } as const;

export interface VerifyChainOptions {
  readonly bundle: TrustBundle;
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
  /** What the leaf is to be used for; both when absent. */
  readonly usage?: 'server' | 'client';
}

export type ChainResult =
  | { readonly ok: true; readonly leaf: X509Certificate; readonly spiffeId: SpiffeId | undefined }
  | { readonly ok: false; readonly reason: string };

/**
 * Verifies a certificate chain, leaf first, against the roots of a bundle: signatures, CA bits, validity and extended key
 * usage. A trailing root in the chain is allowed and not trusted for being there.
 */
export function verifyChain(chainPem: string | readonly string[], options: VerifyChainOptions): ChainResult {
  const blocks = typeof chainPem === 'string' ? splitPem(chainPem, 'CERTIFICATE') : chainPem;
  if (blocks.length > maxChainLength) {
    return { ok: false, reason: `the chain has more than ${maxChainLength} certificates` };
  }
  let chain: X509Certificate[];
  try {
    chain = blocks.map((pem) => parseCertificate(pem));
  } catch {
    return { ok: false, reason: 'the chain holds something that is no certificate' };
  }
  const [leaf, ...issuers] = chain;
  if (leaf === undefined) {
    return { ok: false, reason: 'the chain is empty' };
  }
  if (leaf.ca) {
    return { ok: false, reason: 'the first certificate is a CA, not a leaf' };
  }
  const wanted = options.usage === undefined ? Object.values(usageOids) : [usageOids[options.usage]];
  // Node's `keyUsage` is the extended key usage.
  const granted = leaf.keyUsage ?? [];
  if (!wanted.every((usage) => granted.includes(usage))) {
    return { ok: false, reason: `the certificate is not for ${options.usage ?? 'server and client'} authentication` };
  }
  let current = leaf;
  for (;;) {
    const { notBefore, notAfter } = validityOf(current);
    if (options.now < notBefore) {
      return { ok: false, reason: `not valid before ${current.validFromDate.toISOString()}` };
    }
    if (options.now > notAfter) {
      return { ok: false, reason: `expired at ${current.validToDate.toISOString()}` };
    }
    const root = options.bundle.roots.find((candidate) => issued(candidate, current));
    if (root !== undefined) {
      const { notAfter: rootEnd } = validityOf(root);
      return options.now > rootEnd
        ? { ok: false, reason: `its root expired at ${root.validToDate.toISOString()}` }
        : { ok: true, leaf, spiffeId: spiffeIdOf(leaf) };
    }
    const issuer = issuers.shift();
    if (issuer === undefined || !issued(issuer, current)) {
      return { ok: false, reason: 'no path to a root of the trust bundle' };
    }
    current = issuer;
  }
}

function issued(issuer: X509Certificate, subject: X509Certificate): boolean {
  return issuer.ca && subject.checkIssued(issuer) && subject.verify(issuer.publicKey);
}
