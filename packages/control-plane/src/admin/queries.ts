import type {
  CheckList,
  ConfigDump,
  EdgeList,
  EffectiveExplanation,
  Overview,
  ProxyDetail,
  ProxyList,
  RequestExplanation,
  TrustBundleInfo,
  VersionInfo,
} from '@weft/admin-api';
import type { AskedName, ExplainedRequest } from '@weft/translate';

/** What the admin API can be asked; HTTP, sessions and rights lie around it. */
export interface AdminQueries {
  version(): VersionInfo;
  overview(windowSeconds: number): Overview;
  proxies(): ProxyList;
  /** Undefined: no such Proxy. */
  proxy(proxyKey: string): ProxyDetail | undefined;
  /** Undefined: no such Proxy. */
  configDump(proxyKey: string, filter: { readonly type?: string; readonly name?: string }): ConfigDump | undefined;
  /** Undefined: no such Proxy. */
  explain(proxyKey: string, request: ExplainedRequest): RequestExplanation | undefined;
  /** Undefined: nothing has the name. */
  explainName(asked: AskedName): EffectiveExplanation | undefined;
  edges(windowSeconds: number): EdgeList;
  checks(): Promise<CheckList>;
  trustBundle(): TrustBundleInfo;
  metrics(): string;
}
