import type { TcpProxyConfig } from '../config.ts';
import type { TcpProxy } from '../wire/listener-schema.ts';
import type { Problems } from '../wire/problems.ts';
import type { Decoded } from '../wire/schema.ts';
import { accessLogsFromXds } from './access-log.ts';
import { subsetCriteriaFromXds } from './subsets.ts';
import { singleCluster, weightedClustersFrom } from './weighted-clusters.ts';

/** `TcpProxy.idle_timeout`, "If not set, the default idle timeout is 1 hour". */
const DEFAULT_IDLE_TIMEOUT_MS = 3_600_000;

/** `envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy` */
export function tcpProxyFromXds(proxy: Decoded<typeof TcpProxy>, problems: Problems): TcpProxyConfig {
  if (proxy.stat_prefix === '') {
    problems.add('required', 'stat_prefix');
  }
  if (proxy.max_connect_attempts === 0) {
    problems.add('must be at least 1', 'max_connect_attempts');
  }
  return {
    kind: 'tcp-proxy',
    statPrefix: proxy.stat_prefix,
    clusters: clustersFromXds(proxy, problems),
    idleTimeoutMs: proxy.idle_timeout ?? DEFAULT_IDLE_TIMEOUT_MS,
    maxConnectionDurationMs: maxDurationFromXds(proxy.max_downstream_connection_duration, problems),
    maxConnectAttempts: proxy.max_connect_attempts ?? 1,
    ...(proxy.hash_policy.length === 0 ? {} : { hashBySourceIp: hashFromXds(proxy, problems) }),
    ...tunnelFromXds(proxy, problems),
    accessLogs: accessLogsFromXds(proxy.access_log, problems),
  };
}

/** A host and its port; Envoy's format commands are not known here. */
const authority = /^(?:[\w.-]+|\[[0-9a-fA-F:.]+\]):[0-9]{1,5}$/;

function tunnelFromXds(
  { tunneling_config: tunnel }: Decoded<typeof TcpProxy>,
  problems: Problems,
): Pick<TcpProxyConfig, 'tunnel'> {
  if (tunnel === undefined) {
    return {};
  }
  if (!authority.test(tunnel.hostname)) {
    problems.add('is not host:port', 'tunneling_config.hostname');
  }
  const { use_post: usePost, post_path: path } = tunnel;
  if (path !== '' && !usePost) {
    problems.add('is for use_post alone', 'tunneling_config.post_path');
  }
  if (!/^(?:\/[\x21-\x7e]*)?$/.test(path)) {
    problems.add('is not a path', 'tunneling_config.post_path');
  }
  return { tunnel: { to: tunnel.hostname, method: usePost ? 'POST' : 'CONNECT', path: path || '/' } };
}

/** At most one policy, and of those that there are only the source IP, is known. */
function hashFromXds({ hash_policy: policies }: Decoded<typeof TcpProxy>, problems: Problems): boolean {
  if (policies.length > 1) {
    problems.add('at most one is allowed', 'hash_policy');
  }
  problems.each('hash_policy', policies, ({ source_ip: sourceIp }) => {
    if (sourceIp === undefined) {
      problems.add('required', 'source_ip');
    }
  });
  return true;
}

/** The smallest duration that Envoy takes is 1 ms; absent means none. */
function maxDurationFromXds(durationMs: number | undefined, problems: Problems): number {
  if (durationMs !== undefined && durationMs < 1) {
    problems.add('must be at least 1 ms', 'max_downstream_connection_duration');
  }
  return durationMs ?? 0;
}

function clustersFromXds(proxy: Decoded<typeof TcpProxy>, problems: Problems): TcpProxyConfig['clusters'] {
  const { weighted_clusters: weighted, cluster } = proxy;
  if (weighted !== undefined) {
    return problems.within('weighted_clusters', () =>
      weightedClustersFrom(
        weighted.clusters.map(({ name, weight, metadata_match: own }) => ({
          name,
          weight,
          edits: undefined,
          subset: subsetCriteriaFromXds(proxy.metadata_match, own),
        })),
        problems,
      ),
    );
  }
  if (cluster === undefined || cluster === '') {
    problems.add('one of cluster, weighted_clusters is required');
    return [];
  }
  return singleCluster(cluster, subsetCriteriaFromXds(proxy.metadata_match));
}
