/** How to reach an API, and as whom. */
export interface ApiConnection {
  /** `https://host:port`, perhaps with a path in front of `/api`. */
  readonly server: string;
  /** Roots that the server is verified against, PEM; the system's when absent. */
  readonly caPem?: string;
  /** Name to expect in the server's certificate instead of the host's. */
  readonly serverName?: string;
  readonly clientCertificatePem?: string;
  readonly clientKeyPem?: string;
  /** Asked for each request, so that a token that is replaced on disk is taken up. */
  readonly token?: () => string;
}
