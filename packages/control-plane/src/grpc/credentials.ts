import { ServerCredentials } from '@grpc/grpc-js';

/** PEM texts of a gRPC server. */
export interface ServerIdentity {
  readonly chainPem: string;
  readonly keyPem: string;
  /** Roots of client certificates. */
  readonly trustBundlePem: string;
}

/** TLS 1.2 at least; TLS 1.2 only with forward secrecy and authenticated encryption. */
const ciphers = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
].join(':');

/** Server credentials whose certificate can be replaced while the server runs; connections that exist go on. */
export class RotatingCredentials extends ServerCredentials {
  constructor(identity: ServerIdentity, options: { readonly requireClientCertificate: boolean }) {
    super(
      {
        requestCert: options.requireClientCertificate,
        rejectUnauthorized: options.requireClientCertificate,
        minVersion: 'TLSv1.2',
        ciphers,
      },
      contextOf(identity),
    );
  }

  replace(identity: ServerIdentity): void {
    this.updateSecureContextOptions(contextOf(identity));
  }

  _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}

function contextOf({ chainPem, keyPem, trustBundlePem }: ServerIdentity) {
  return { cert: chainPem, key: keyPem, ca: trustBundlePem, minVersion: 'TLSv1.2' as const, ciphers };
}
