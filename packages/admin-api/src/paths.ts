/** Everything of the admin API lies under this prefix of the API server's HTTPS address. */
export const adminPrefix = '/weft/v1/';

/**
 * The paths of the admin API. All are `GET` except `joinTokens`, `pageLogin` and `preview`. Answers are JSON; errors are Kubernetes `Status`
 * objects. The first page serves the same paths on its own address, behind its session.
 */
export const adminPaths = {
  /** → `VersionInfo` */
  version: '/weft/v1/version',
  /** → `Overview`. Query: `window` in seconds (default 30, at most 600). */
  overview: '/weft/v1/overview',
  /** → server-sent events `overview`, each an `Overview`, every 2 s and at once. Query as `overview`. */
  overviewStream: '/weft/v1/overview/stream',
  /** → `ProxyList` */
  proxies: '/weft/v1/proxies',
  /** → `ProxyDetail` */
  proxy: (namespace: string, name: string): string => `/weft/v1/proxies/${part(namespace)}/${part(name)}`,
  /** → `ConfigDump`. Query: `type` (a short name such as `CDS`), `name` (a resource). */
  configDump: (namespace: string, name: string): string =>
    `/weft/v1/proxies/${part(namespace)}/${part(name)}/config-dump`,
  /**
   * → `RequestExplanation`. Query: `method`, `url` (absolute), `header` (`name: value`, any number).
   */
  explain: (namespace: string, name: string): string => `/weft/v1/proxies/${part(namespace)}/${part(name)}/explain`,
  /** → `EffectiveExplanation`. Query: `name`, `namespace` of short names, `from` (`<namespace>/<name>` of a proxy; optional). */
  explainName: '/weft/v1/explain',
  /** `POST PreviewRequest` → `Preview`; needs `create` on this path. Nothing is stored. */
  preview: '/weft/v1/preview',
  /** → `EdgeList`. Query as `overview`. */
  edges: '/weft/v1/edges',
  /** → `CheckList` */
  checks: '/weft/v1/checks',
  /** → `TrustBundleInfo` */
  trustBundle: '/weft/v1/trust-bundle',
  /** `POST JoinTokenRequest` → `JoinTokenResponse`; needs `create` on `serviceaccounts/token` in the namespace. */
  joinTokens: (namespace: string): string => `/weft/v1/namespaces/${part(namespace)}/join-tokens`,
  /** `POST` without a body → `PageLogin` */
  pageLogin: '/weft/v1/page-login',
  /** → text in Prometheus' exposition format. */
  metrics: '/weft/v1/metrics',
} as const;

const part = encodeURIComponent;
