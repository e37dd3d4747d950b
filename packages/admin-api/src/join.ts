/** Asks for a token that one workload can get its first certificate with. */
export interface JoinTokenRequest {
  readonly serviceAccount: string;
  /** 10 to 3,600; default 600. */
  readonly ttlSeconds?: number;
}

/** The token is shown this once. */
export interface JoinTokenResponse {
  readonly token: string;
  /** SPIFFE id that the certificate will have. */
  readonly identity: string;
  /** RFC 3339. */
  readonly expiresAt: string;
  readonly trustDomain: string;
  /** Roots that the control plane's servers verify against, PEM. */
  readonly trustBundle: string;
}

export interface TrustBundleInfo {
  readonly trustDomain: string;
  /** Roots, PEM, one after the other. */
  readonly pem: string;
  readonly version: string;
}

/** A link to the first page that logs its first user in. */
export interface PageLogin {
  readonly url: string;
}
