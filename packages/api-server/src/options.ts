import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock, Logger } from '@weft/base';
import type { KindDeclaration, KubeObject, ResourceClient, Violation } from '@weft/resources';
import type { Storage } from './storage/storage.ts';

/** Who a request comes from, as Kubernetes describes a user (`authentication.k8s.io/v1 UserInfo`). */
export interface UserInfo {
  readonly username: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** Turns a bearer token into a user; undefined when the token is not one of this verifier's. Never logs the token. */
export type TokenVerifier = (
  token: string,
  audiences: readonly string[],
) => Promise<UserInfo | undefined> | UserInfo | undefined;

/** A question to the authorizer: about an object of the API, or about a path that is none (`path` alone). */
export type AccessRequest =
  | { readonly verb: string; readonly path: string }
  | {
      readonly verb: string;
      readonly group: string;
      readonly resource: string;
      readonly namespace?: string;
      readonly name?: string;
      readonly subresource?: string;
    };

/** The authorizer's answer; `reason` names the binding that allowed it, or says that none did. */
export interface AccessDecision {
  readonly allowed: boolean;
  readonly reason: string;
}

/** What an admission check answers: refusals stop the write, warnings reach the client as `Warning:` headers. */
export interface AdmissionVerdict {
  readonly violations?: readonly Violation[];
  readonly warnings?: readonly string[];
}

/** One write as the admission checks see it. */
export interface AdmissionRequest {
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE';
  /** The object as it would be stored; for DELETE the one that is stored. */
  readonly object: KubeObject;
  /** What is stored now; undefined for CREATE. */
  readonly previous: KubeObject | undefined;
  readonly user: UserInfo;
  readonly subresource?: string;
  readonly dryRun: boolean;
}

/**
 * A cross-object check, run synchronously inside the write's transaction after the object's own validation.
 * Must not write. What it throws refuses the write with 500.
 */
export type AdmissionCheck = (request: AdmissionRequest, view: AdmissionView) => AdmissionVerdict | undefined;

/** Reads of the state that the write would be applied to. */
export interface AdmissionView {
  get(group: string, plural: string, name: string, namespace?: string): KubeObject | undefined;
  list(group: string, plural: string, namespace?: string): readonly KubeObject[];
}

/** A request that was authenticated and falls under a mounted prefix. The handler must end the response. */
export interface MountedRequest {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly user: UserInfo;
  /** Whether this user may do it; the handler asks and answers 403 itself. */
  readonly authorize: (access: AccessRequest) => AccessDecision;
  /** Reads the body, refusing more than the server's limit with 413. */
  readonly readBody: () => Promise<Buffer>;
}

/** Serves everything under a path prefix, behind the API's authentication. Rejections become 500 `Status` answers. */
export interface Mount {
  /** Begins and ends with a slash: `/weft/v1/`. */
  readonly prefix: string;
  readonly handle: (request: MountedRequest) => Promise<void> | void;
  /**
   * When true (the default) the request is authorised as a non-resource URL (verb = method in lower case, path) before
   * the handler sees it. When false the handler authorises.
   */
  readonly authorizePath?: boolean;
}

/** Named bounds; every queue and buffer of the server has one here. */
export interface ApiLimits {
  /** Largest request body, bytes. Default 2,000,000; more is refused with 413 before it is parsed. */
  readonly maxBodyBytes: number;
  /** Watches one user may hold at the same time. Default 256; more get 429 with Retry-After. */
  readonly maxWatchesPerUser: number;
  /** Watches of all users together. Default 4,096. */
  readonly maxWatches: number;
  /** Requests (watches aside) one user may have in flight. Default 256; more get 429. */
  readonly maxRequestsPerUser: number;
  /** Bytes that may wait in a watch's socket; a slower watcher is cut off. Default 8 MiB. */
  readonly maxWatchBufferBytes: number;
  /** Events kept for each kind, for watches that resume. Default 2,048; older versions answer 410. */
  readonly maxHistoryEvents: number;
  /** Items of one list without a limit of its own are not paged; `limit` above this is lowered to it. Default 10,000. */
  readonly maxListLimit: number;
  /** Depth of nesting in a request body. Default 64. */
  readonly maxDepth: number;
  /** Period of watch bookmarks, milliseconds. Default 60,000. */
  readonly bookmarkIntervalMs: number;
  /** Time a watch lasts when its client does not say, milliseconds; the default is random in 30–60 minutes. */
  readonly watchTimeoutMs?: number;
  /** Writes that may wait for the disk. Default 10,000; more get 429. */
  readonly maxPendingWrites: number;
}

/** PEM texts of the serving certificate (with its chain) and its private key. */
export interface ServingCertificate {
  readonly cert: string;
  readonly key: string;
}

export interface ApiServerOptions {
  readonly kinds: readonly KindDeclaration[];
  /** Opened by the caller, closed by {@link ApiServer.close}. */
  readonly storage: Storage;
  readonly tls: ServingCertificate;
  /** PEM of the authorities whose client certificates are believed (CN = user, O = groups). None when absent. */
  readonly clientCa?: string;
  /** Further bearer tokens, asked in order after service account tokens. */
  readonly tokenVerifiers?: readonly TokenVerifier[];
  /** PKCS#8 PEM of the P-256 key that signs service account tokens. A key that lives as long as the process when absent. */
  readonly serviceAccountKey?: string;
  /** `iss` of service account tokens and the default audience. Default `https://kubernetes.default.svc.cluster.local`. */
  readonly issuer?: string;
  /** Default `127.0.0.1`. */
  readonly host?: string;
  /** Default 0: any free port. */
  readonly port?: number;
  /** Namespaces that always exist and cannot be deleted. Default `default`, `kube-system`, `weft-system`. */
  readonly systemNamespaces?: readonly string[];
  readonly admission?: readonly AdmissionCheck[];
  readonly mounts?: readonly Mount[];
  readonly limits?: Partial<ApiLimits>;
  readonly logger?: Logger;
  readonly clock?: Clock;
  /** Uniform in [0, 1); for generated names and watch timeouts. Default `Math.random`. */
  readonly random?: () => number;
  /** What `/version` says; the git version must look like `v1.x.y+weft`. Default made from `buildVersion`. */
  readonly buildVersion?: string;
}

/** A running API server. */
export interface ApiServer {
  /** `https://127.0.0.1:<port>`, undefined while it does not listen. */
  readonly url: string | undefined;
  /** In-process client with all rights (`system:masters`), without HTTP, on the same validation and storage. */
  readonly client: ResourceClient;
  /** An in-process client that acts, and is recorded in `managedFields`, as this field manager. */
  clientFor(fieldManager: string): ResourceClient;
  readonly storage: Storage;
  /** Adds a mounted handler; to be called before {@link listen} or later. */
  mount(mount: Mount): void;
  /** Adds an admission check. */
  addAdmission(check: AdmissionCheck): void;
  /** Whether `user` may do it, by the RBAC objects as they are now. */
  authorize(user: UserInfo, access: AccessRequest): AccessDecision;
  /** Who this credential belongs to; undefined when nobody vouches for it. */
  authenticateToken(token: string, audiences?: readonly string[]): Promise<UserInfo | undefined>;
  /** Swaps the serving certificate; connections that exist go on. */
  setServingCertificate(tls: ServingCertificate): void;
  /** @throws MeshError PORT_IN_USE, PERMISSION_DENIED. Resolves to the URL. */
  listen(): Promise<string>;
  /** Ends watches, waits for acknowledged writes, closes the socket and the storage. Idempotent. */
  close(): Promise<void>;
}
