/** What runs, and where its programs connect to. */
export interface VersionInfo {
  /** Version of Weft, `0.1.0`. */
  readonly version: string;
  readonly nodeVersion: string;
  readonly processId: number;
  /** RFC 3339. */
  readonly startedAt: string;
  readonly trustDomain: string;
  /** Whose effective defaults the mesh has. */
  readonly defaults: 'istio' | 'envoy';
  /** What becomes of paths before routes see them. */
  readonly pathNormalization: 'none' | 'base' | 'merge-slashes' | 'decode-and-merge-slashes';
  readonly endpoints: ControlPlaneEndpoints;
}

/** Addresses, host and port. */
export interface ControlPlaneEndpoints {
  /** Resource API and admin API: `https://127.0.0.1:7443`. */
  readonly api: string;
  /** xDS and certificate renewal, mutual TLS: `127.0.0.1:7012`. */
  readonly xds: string;
  /** First certificate by join token, TLS: `127.0.0.1:7011`. */
  readonly join: string;
  /** First page: `http://127.0.0.1:7080`; undefined when it is switched off. */
  readonly page?: string;
}

/** Content of `control-plane.json` in the state folder: how a program finds the control plane that runs. */
export interface ControlPlaneFile extends VersionInfo {
  /** Path of the kubeconfig of the user who started it. */
  readonly kubeconfig: string;
  /** Path of the trust bundle (PEM) that its servers verify against. */
  readonly trustBundle: string;
  /** Link to the first page with a token that is good for one login; a new one with each start. */
  readonly pageLogin?: string;
}
