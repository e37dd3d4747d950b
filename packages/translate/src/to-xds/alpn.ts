import type { ClusterProtocol, HealthCheck, ProxyEngine } from '@weft/ir';

/**
 * HTTP/2 between two proxies of ours: it says that both know what goes beyond HTTP/2 (docs/http2.md). Stock Envoy must not offer
 * it: of a connection whose ALPN is neither `h2` nor HTTP/1 it takes no version.
 */
const weftHttp2 = 'weft-h2';
const http2 = 'h2';
const http1 = 'http/1.1';

const preferHttp2: Readonly<Record<ProxyEngine, readonly string[]>> = {
  weft: [weftHttp2, http2],
  envoy: [http2],
};

/**
 * What a proxy offers to the endpoints of a cluster, best first. Nothing for `http-as-downstream`: without a list of the context, Envoy
 * and our proxy offer the one version in which a request goes out, and nothing for TCP. Opaque TCP negotiates nothing.
 */
export function offeredProtocols(protocol: ClusterProtocol, engine: ProxyEngine): readonly string[] {
  switch (protocol) {
    case 'http1':
      return [http1];
    case 'http2':
      return preferHttp2[engine];
    case 'http-by-alpn':
      return [...preferHttp2[engine], http1];
    case 'http-as-downstream':
    case 'tcp':
      return [];
  }
}

/** What the listener of an HTTP port takes, best first: every version, as it is translated to that of the application. */
export function acceptedProtocols(engine: ProxyEngine): readonly string[] {
  return [...preferHttp2[engine], http1];
}

/** By what a peer's HTTP is told from its TCP where both may come: the client offers something of this only for HTTP. */
export const httpProtocols: readonly string[] = [weftHttp2, http2, http1, 'http/1.0'];

/** Envoy's names of what the HTTP inspector finds. */
export const inspectedHttp: readonly string[] = ['http/1.0', 'http/1.1', 'h2c'];

/**
 * What health checks offer in place of what requests do, as they speak one version by themselves; empty: nothing else. Opaque checks of a
 * port of HTTP say that they are HTTP/1.1, as some server may want to hear something; nobody speaks it.
 */
export function checkedProtocols(
  { kind, ...check }: HealthCheck['check'],
  protocol: ClusterProtocol,
): readonly string[] {
  if (kind === 'tcp') {
    return protocol === 'tcp' || protocol === 'http-as-downstream' ? [] : [http1];
  }
  return kind === 'grpc' || ('http2' in check && check.http2) ? [http2] : [http1];
}
