import type {
  CheckList,
  ConfigDump,
  EdgeList,
  Overview,
  ProxyDetail,
  ProxyList,
  TrustBundleInfo,
  VersionInfo,
} from '@weft/admin-api';

/** What the admin API can be asked; HTTP, sessions and rights lie around it. */
export interface AdminQueries {
  version(): VersionInfo;
  overview(windowSeconds: number): Overview;
  proxies(): ProxyList;
  /** Undefined: no such Proxy. */
  proxy(proxyKey: string): ProxyDetail | undefined;
  /** Undefined: no such Proxy. */
  configDump(proxyKey: string, filter: { readonly type?: string; readonly name?: string }): ConfigDump | undefined;
  edges(windowSeconds: number): EdgeList;
  checks(): Promise<CheckList>;
  trustBundle(): TrustBundleInfo;
  metrics(): string;
}
