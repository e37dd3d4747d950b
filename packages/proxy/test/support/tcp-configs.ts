import type { FilterChain, TcpProxyConfig } from '../../src/runtime-config/config.ts';
import { chain, noEdits } from './configs.ts';

/** A TCP proxy to one cluster with Envoy's defaults. */
export function tcpProxy(clusterName: string, overrides: Partial<TcpProxyConfig> = {}): TcpProxyConfig {
  return {
    kind: 'tcp-proxy',
    statPrefix: 'tcp',
    clusters: [{ cluster: clusterName, weight: 1, headers: noEdits }],
    idleTimeoutMs: 3_600_000,
    maxConnectionDurationMs: 0,
    maxConnectAttempts: 1,
    accessLogs: [],
    ...overrides,
  };
}

/** A filter chain of that; its name tells which cluster it leads to. */
export function tcpTo(clusterName: string, overrides: Partial<FilterChain> = {}): FilterChain {
  return chain(tcpProxy(clusterName), { name: `tcp-${clusterName}`, ...overrides });
}
