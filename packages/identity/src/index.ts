export { parseCertificate, spiffeIdOf, spiffeIdOfSubjectAltName, type Validity, validityOf } from './certificate.ts';
export { createCsr, generatePrivateKey } from './csr.ts';
export { type DerContent, derContent } from './der/reader.ts';
export { KeyPairStore } from './key-pair-store.ts';
export { maxPemBytes, pemFromDer, splitPem } from './pem.ts';
export { PrivateKey, Redacted } from './redacted.ts';
export { parseRevocationLists, type RevocationLists } from './revocation-lists.ts';
export {
  formatWorkloadId,
  maxSpiffeIdBytes,
  maxTrustDomainBytes,
  parseSpiffeId,
  parseWorkloadId,
  type SpiffeId,
  type SpiffeIdResult,
  trustDomainProblem,
  type WorkloadIdentity,
} from './spiffe-id.ts';
export { createSvid, renewalTime, type Svid } from './svid.ts';
export {
  createTrustBundle,
  maxTrustBundleRoots,
  mergeTrustBundles,
  parseTrustBundle,
  type TrustBundle,
} from './trust-bundle.ts';
export { removeUsedToken } from './used-token.ts';
export { type ChainResult, maxChainLength, type VerifyChainOptions, verifyChain } from './verify-chain.ts';
