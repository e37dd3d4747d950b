export { readPrivateFile, writePrivateFile } from './ca-files.ts';
export {
  backdateMs,
  CertificateAuthority,
  type CertificateAuthorityOptions,
  type IssuedCertificate,
  type IssuedKeyPair,
  minLeafTtlMs,
} from './certificate-authority.ts';
export { maxCsrBytes, publicKeyOfCsr } from './csr-check.ts';
export type { SubjectNames } from './issue.ts';
export { createJoinToken, hashJoinToken, type JoinToken, parseJoinToken, sameHash } from './join-token.ts';
