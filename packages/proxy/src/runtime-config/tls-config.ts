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
      /** Lists of revoked certificates, PEM; with one, each certificate of a chain needs the list of its issuer. Absent = nothing is revoked. */
      readonly crlPem?: string;
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
      readonly version: string;
    }
  | {
      readonly kind: 'certificate';
      readonly name: string;
      readonly chainPem: string;
      readonly key: unknown;
      readonly version: string;
    };
