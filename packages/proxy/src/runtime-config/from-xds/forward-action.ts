import type { ForwardAction, WeightedCluster } from '../config.ts';
import type { Problems } from '../wire/problems.ts';
import type { RouteAction } from '../wire/route-schema.ts';
import type { Decoded } from '../wire/schema.ts';
import { checkSubstitution, regexFromXds } from './regex.ts';
import { retryPolicyFromXds } from './retry-policy.ts';
import { singleCluster, weightedClustersFrom } from './weighted-clusters.ts';

/** `RouteAction.timeout`, "If not specified, the default is 15s". */
const DEFAULT_ROUTE_TIMEOUT_MS = 15_000;

const notFoundStatus = { SERVICE_UNAVAILABLE: 503, NOT_FOUND: 404, INTERNAL_SERVER_ERROR: 500 } as const;

/** `envoy.config.route.v3.RouteAction` */
export function forwardActionFromXds(action: Decoded<typeof RouteAction>, problems: Problems): ForwardAction {
  const { retry_policy: retry } = action;
  const rewrite = regexRewriteFromXds(action, problems);
  if (action.prefix_rewrite !== '' && rewrite !== undefined) {
    problems.add('prefix_rewrite and regex_rewrite exclude each other');
  }
  if (/[\0\r\n]/.test(action.prefix_rewrite)) {
    problems.add('holds a line break', 'prefix_rewrite');
  }
  return {
    clusters: clustersFromXds(action, problems),
    clusterNotFoundStatus: notFoundStatus[action.cluster_not_found_response_code],
    prefixRewrite: action.prefix_rewrite === '' ? undefined : action.prefix_rewrite,
    regexRewrite: rewrite,
    hostRewrite: hostRewriteFromXds(action, problems),
    appendXForwardedHost: action.append_x_forwarded_host,
    timeoutMs: action.timeout ?? DEFAULT_ROUTE_TIMEOUT_MS,
    idleTimeoutMs: action.idle_timeout,
    retryPolicy:
      retry === undefined ? undefined : problems.within('retry_policy', () => retryPolicyFromXds(retry, problems)),
    priority: action.priority === 'HIGH' ? 'high' : 'default',
    maxStreamDuration: maxStreamDurationFromXds(action),
  };
}

function maxStreamDurationFromXds(action: Decoded<typeof RouteAction>): ForwardAction['maxStreamDuration'] {
  const { max_stream_duration: limit } = action;
  return limit === undefined
    ? undefined
    : {
        maxMs: limit.max_stream_duration,
        grpcTimeoutMaxMs: limit.grpc_timeout_header_max,
        grpcTimeoutOffsetMs: limit.grpc_timeout_header_offset ?? 0,
      };
}

function clustersFromXds(action: Decoded<typeof RouteAction>, problems: Problems): WeightedCluster[] {
  const { weighted_clusters: weighted, cluster } = action;
  if (weighted !== undefined) {
    return problems.within('weighted_clusters', () => {
      const clusters = weightedClustersFrom(
        weighted.clusters.map((entry) => ({ name: entry.name, weight: entry.weight ?? 0, edits: entry })),
        problems,
      );
      const sum = clusters.reduce((total, { weight }) => total + weight, 0);
      if (weighted.total_weight !== undefined && weighted.total_weight !== sum) {
        problems.add(`is ${weighted.total_weight} but the weights sum up to ${sum}`, 'total_weight');
      }
      return clusters;
    });
  }
  if (cluster === undefined || cluster === '') {
    problems.add('one of cluster, weighted_clusters is required');
    return [];
  }
  return singleCluster(cluster);
}

function regexRewriteFromXds(action: Decoded<typeof RouteAction>, problems: Problems): ForwardAction['regexRewrite'] {
  const { regex_rewrite: rewrite } = action;
  if (rewrite === undefined) {
    return undefined;
  }
  return problems.within('regex_rewrite', () => {
    const source = rewrite.pattern?.regex ?? '';
    const regex = problems.within('pattern', () => regexFromXds(source, problems));
    if (/[\0\r\n]/.test(rewrite.substitution)) {
      problems.add('holds a line break', 'substitution');
    }
    checkSubstitution(source, rewrite.substitution, problems);
    return regex === undefined ? undefined : { regex, substitution: rewrite.substitution };
  });
}

function hostRewriteFromXds(action: Decoded<typeof RouteAction>, problems: Problems): ForwardAction['hostRewrite'] {
  if (action.host_rewrite_literal !== undefined && action.host_rewrite_literal !== '') {
    if (/[\0\r\n]/.test(action.host_rewrite_literal)) {
      problems.add('holds a line break', 'host_rewrite_literal');
    }
    return { kind: 'literal', value: action.host_rewrite_literal };
  }
  if (action.auto_host_rewrite === true) {
    return { kind: 'auto' };
  }
  return action.host_rewrite_header === undefined || action.host_rewrite_header === ''
    ? undefined
    : { kind: 'header', name: action.host_rewrite_header.toLowerCase() };
}
