import type { ForwardAction, WeightedCluster } from '../config.ts';
import type { Problems } from '../wire/problems.ts';
import type { RouteAction } from '../wire/route-schema.ts';
import type { Decoded } from '../wire/schema.ts';
import { hashPoliciesFromXds } from './hash-policy.ts';
import { routeFilterConfigsFromXds } from './http-filters.ts';
import { clusterNameFromXds, mirrorPoliciesFromXds } from './mirror-policy.ts';
import { type PathTemplate, templateRewriteFromXds } from './path-template.ts';
import { type RegexRewrite, regexRewriteFromXds } from './regex-rewrite.ts';
import { retryPolicyFromXds } from './retry-policy.ts';
import { subsetCriteriaFromXds } from './subsets.ts';
import { clusterOfHeader, singleCluster, weightedClustersFrom } from './weighted-clusters.ts';

/** `RouteAction.timeout`, "If not specified, the default is 15s". */
const DEFAULT_ROUTE_TIMEOUT_MS = 15_000;

const notFoundStatus = { SERVICE_UNAVAILABLE: 503, NOT_FOUND: 404, INTERNAL_SERVER_ERROR: 500 } as const;

/** `envoy.config.route.v3.RouteAction` */
export function forwardActionFromXds(
  action: Decoded<typeof RouteAction>,
  template: PathTemplate | undefined,
  problems: Problems,
): ForwardAction {
  const { retry_policy: retry, path_rewrite_policy: policy } = action;
  const regexRewrite = regexRewriteFromXds(action.regex_rewrite, 'regex_rewrite', problems);
  const templateRewrite = policy === undefined ? undefined : templateRewriteOf(policy, template, problems);
  const rewrites = [action.prefix_rewrite !== '', regexRewrite !== undefined, policy !== undefined];
  if (rewrites.filter(Boolean).length > 1) {
    problems.add('prefix_rewrite, regex_rewrite and path_rewrite_policy exclude each other');
  }
  if (/[\0\r\n]/.test(action.prefix_rewrite)) {
    problems.add('holds a line break', 'prefix_rewrite');
  }
  return {
    clusters: clustersFromXds(action, problems),
    randomValueHeader: action.weighted_clusters?.header_name?.toLowerCase() || undefined,
    mirrors: mirrorPoliciesFromXds(action.request_mirror_policies, problems),
    clusterNotFoundStatus: notFoundStatus[action.cluster_not_found_response_code],
    prefixRewrite: action.prefix_rewrite === '' ? undefined : action.prefix_rewrite,
    regexRewrite: regexRewrite ?? templateRewrite,
    hostRewrite: hostRewriteFromXds(action, problems),
    appendXForwardedHost: action.append_x_forwarded_host,
    timeoutMs: action.max_stream_duration === undefined ? (action.timeout ?? DEFAULT_ROUTE_TIMEOUT_MS) : 0,
    idleTimeoutMs: action.idle_timeout,
    retryPolicy:
      retry === undefined ? undefined : problems.within('retry_policy', () => retryPolicyFromXds(retry, problems)),
    ...(action.hedge_policy === undefined
      ? {}
      : { hedgeOnPerTryTimeout: action.hedge_policy.hedge_on_per_try_timeout }),
    priority: action.priority === 'HIGH' ? 'high' : 'default',
    ...(action.hash_policy.length === 0 ? {} : { hashPolicies: hashPoliciesFromXds(action.hash_policy, problems) }),
    maxStreamDuration: maxStreamDurationFromXds(action),
    ...(action.max_grpc_timeout === undefined || action.max_stream_duration !== undefined
      ? {}
      : { grpcTimeout: { maxMs: action.max_grpc_timeout, offsetMs: action.grpc_timeout_offset ?? 0 } }),
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
        weighted.clusters.map((entry, index) => ({
          name: entry.name,
          weight: entry.weight ?? 0,
          edits: entry,
          clusterHeader: entry.cluster_header,
          hostRewrite: entry.host_rewrite_literal,
          subset: subsetCriteriaFromXds(action.metadata_match, entry.metadata_match),
          filterConfigs: problems.within(`clusters[${index}]`, () =>
            routeFilterConfigsFromXds(entry.typed_per_filter_config, problems),
          ),
        })),
        problems,
      );
      const sum = clusters.reduce((total, { weight }) => total + weight, 0);
      if (weighted.total_weight !== undefined && weighted.total_weight !== sum) {
        problems.add(`is ${weighted.total_weight} but the weights sum up to ${sum}`, 'total_weight');
      }
      return clusters;
    });
  }
  const { cluster_header: header } = action;
  if (header !== undefined && header !== '') {
    clusterNameFromXds('', header, problems);
    return clusterOfHeader(header.toLowerCase(), subsetCriteriaFromXds(action.metadata_match));
  }
  if (cluster === undefined || cluster === '') {
    problems.add('one of cluster, cluster_header, weighted_clusters is required');
    return [];
  }
  return singleCluster(cluster, subsetCriteriaFromXds(action.metadata_match));
}

function templateRewriteOf(
  { typed_config: config }: NonNullable<Decoded<typeof RouteAction>['path_rewrite_policy']>,
  template: PathTemplate | undefined,
  problems: Problems,
): RegexRewrite | undefined {
  return problems.within('path_rewrite_policy', () => {
    if (config === undefined) {
      problems.add('required', 'typed_config');
      return undefined;
    }
    if (template === undefined) {
      problems.add('a template can be rewritten only where the match is by a template (path_match_policy)');
      return undefined;
    }
    const substitution = templateRewriteFromXds(config.value.path_template_rewrite, template.variables, problems);
    return substitution === undefined ? undefined : { regex: template.regex, substitution };
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
  const regex = regexRewriteFromXds(action.host_rewrite_path_regex, 'host_rewrite_path_regex', problems);
  if (regex !== undefined) {
    return { kind: 'path-regex', ...regex };
  }
  return action.host_rewrite_header === undefined || action.host_rewrite_header === ''
    ? undefined
    : { kind: 'header', name: action.host_rewrite_header.toLowerCase() };
}
