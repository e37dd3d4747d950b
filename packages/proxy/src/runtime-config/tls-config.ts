import type { RevocationLists } from '@weft/identity';
import type { StringMatch } from './config.ts';

/** Where a key pair or trust bundle comes from. `local` is the proxy's own identity (SDS cluster `sds-grpc`). */
export type SecretRef =
  | { readonly source: 'local' | 'ads'; readonly name: string }
  /** It stands in the configuration, or in a file that the configuration names and that was read with it. */
  | { readonly source: 'given'; readonly name: string; readonly material: SecretMaterial };

export type SecretMaterial =
  | {
      readonly kind: 'key-pair';
      readonly certificateChainPem: string;
      readonly privateKeyPem: () => string | Buffer;
      /** Changes with the content. */
      readonly version: string;
    }
  | {
      readonly kind: 'trust-bundle';
      readonly pem: string;
      /** Takes the place of those of the configuration, as in Envoy. Absent = it has none. */
      readonly revoked?: RevocationLists;
      readonly version: string;
    };

export interface TlsCommon {
  /** Of several a server shows the one for the client's server name, and of those the first of the kind of key that suits both. */
  readonly certificates: readonly SecretRef[];
  readonly validation: TlsValidation | undefined;
  readonly alpn: readonly string[];
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  readonly maxVersion: 'TLSv1.2' | 'TLSv1.3';
  readonly cipherSuites: readonly string[];
}

export interface TlsValidation {
  readonly trustBundle: SecretRef;
  /** Any of them must match a SAN of the peer; empty = any certificate of the bundle. */
  readonly subjectAltNames: readonly SubjectAltNameMatch[];
  /** Of clients: a certificate that is not valid is no reason to refuse them (`ACCEPT_UNTRUSTED`). */
  readonly acceptUntrusted: boolean;
  /** With any, each certificate of a chain needs the list of its issuer; absent = nothing is revoked. */
  readonly revoked?: RevocationLists;
  /** The peer's certificate must be one of these besides; absent = any. */
  readonly pins?: CertificatePins;
}

/** Certificates that are meant, by SHA-256: one that either list has. At least one has some. */
export interface CertificatePins {
  /** Of certificates, lower-case hexadecimal. */
  readonly certificates: readonly string[];
  /** Of their public keys (SubjectPublicKeyInfo), base64. */
  readonly keys: readonly string[];
}

/** Names of another type never match. An exact DNS name is also matched by a certificate's wildcard. */
export interface SubjectAltNameMatch {
  readonly type: 'URI' | 'DNS' | 'EMAIL' | 'IP_ADDRESS';
  readonly match: StringMatch;
}

export interface DownstreamTls extends TlsCommon {
  readonly requireClientCertificate: boolean;
}

export interface UpstreamTls extends TlsCommon {
  readonly sni: string;
}

/** `envoy.extensions.transport_sockets.tls.v3.Secret` */
export type SecretConfig =
  | {
      readonly kind: 'validation-context';
      readonly name: string;
      readonly trustBundlePem: string;
      /** Absent = none. */
      readonly revoked?: RevocationLists;
      readonly version: string;
    }
  | {
      readonly kind: 'certificate';
      readonly name: string;
      readonly chainPem: string;
      readonly key: unknown;
      readonly version: string;
    };
