import type { RouteTable, VirtualHost } from '../config.ts';
import { decodeMessage } from '../wire/decode.ts';
import type { Problems } from '../wire/problems.ts';
import { type RouteConfiguration, VirtualHost as VirtualHostSchema } from '../wire/route-schema.ts';
import type { Decoded, RawMessage } from '../wire/schema.ts';
import { checkHeaderName, headerEditsFromXds } from './header-edits.ts';
import { routeFilterConfigsFromXds } from './http-filters.ts';
import { KnownVirtualHosts, virtualHostKey } from './known-virtual-hosts.ts';
import { mirrorPoliciesFromXds } from './mirror-policy.ts';
import { present } from './present.ts';
import { retryPolicyFromXds } from './retry-policy.ts';
import { routeFromXds } from './route.ts';
import { headerMatchFromXds } from './string-match.ts';

/** `RouteConfiguration.max_direct_response_body_size_bytes`, "If not specified the default is 4096". */
const DEFAULT_MAX_DIRECT_RESPONSE_BODY_BYTES = 4096;

const knownHosts = new KnownVirtualHosts();

/** `envoy.config.route.v3.RouteConfiguration` */
export function routeTableFromXds(
  table: Decoded<typeof RouteConfiguration>,
  version: string,
  problems: Problems,
): RouteTable {
  const maxBodyBytes = table.max_direct_response_body_size_bytes ?? DEFAULT_MAX_DIRECT_RESPONSE_BODY_BYTES;
  const known = knownHosts.of(table.name);
  const hosts = new Map<string, VirtualHost>();
  const virtualHosts = present(
    problems.each('virtual_hosts', table.virtual_hosts, (raw) => {
      const key = raw.bytes === undefined ? undefined : virtualHostKey(raw.bytes, maxBodyBytes);
      const host = (key === undefined ? undefined : known?.get(key)) ?? rawHostFromXds(raw, maxBodyBytes, problems);
      if (key !== undefined && host !== undefined) {
        hosts.set(key, host);
      }
      return host;
    }),
  );
  refuseSharedDomains(virtualHosts, problems);
  if (table.vhds !== undefined && table.vhds.config_source?.ads === undefined) {
    problems.add('virtual hosts are fetched by ADS only', 'vhds.config_source');
  }
  const result: RouteTable = {
    name: table.name,
    virtualHosts,
    vhds: table.vhds !== undefined,
    ignorePortInHostMatching: table.ignore_port_in_host_matching,
    headers: headerEditsFromXds(table, problems),
    mostSpecificHeaderEditsWin: table.most_specific_header_mutations_wins,
    internalOnlyHeaders: problems.each('internal_only_headers', table.internal_only_headers, (name) => {
      checkHeaderName(name, '', problems);
      return name.toLowerCase();
    }),
    mirrors: mirrorPoliciesFromXds(table.request_mirror_policies, problems),
    filterConfigs: routeFilterConfigsFromXds(table.typed_per_filter_config, problems),
    version,
  };
  // Only hosts without a problem may be taken over by the next version.
  if (problems.empty && hosts.size > 0) {
    knownHosts.remember(result, hosts);
  }
  return result;
}

function rawHostFromXds(
  raw: RawMessage<typeof VirtualHostSchema>,
  maxBodyBytes: number,
  problems: Problems,
): VirtualHost | undefined {
  const before = problems.count;
  const message = raw.message ?? decodeMessage(VirtualHostSchema, raw.bytes, problems);
  // Converters rely on a message that decoded.
  return problems.count > before ? undefined : virtualHostFromXds(message, maxBodyBytes, problems);
}

function refuseSharedDomains(hosts: readonly VirtualHost[], problems: Problems): void {
  const owners = new Map<string, VirtualHost>();
  hosts.forEach((host, index) => {
    for (const domain of host.domains) {
      const owner = owners.get(domain);
      if (owner !== undefined) {
        problems.within(`virtual_hosts[${index}]`, () =>
          problems.add(
            `the domain ${JSON.stringify(domain)} is already that of ${JSON.stringify(owner.name)}`,
            'domains',
          ),
        );
      }
      owners.set(domain, host);
    }
  });
}

/**
 * Limit for virtual hosts of their own (VHDS). In Envoy it is that of the route configuration, which is not at hand when the
 * virtual host is read; this is the largest that a control plane of Istio's kind allows.
 */
const MAX_VHDS_DIRECT_RESPONSE_BODY_BYTES = 1024 * 1024;

/** A virtual host of its own (VHDS). */
export function virtualHostResourceFromXds(host: Decoded<typeof VirtualHostSchema>, problems: Problems): VirtualHost {
  return virtualHostFromXds(host, MAX_VHDS_DIRECT_RESPONSE_BODY_BYTES, problems);
}

const requireTls = { NONE: 'none', EXTERNAL_ONLY: 'external-only', ALL: 'all' } as const;

function virtualHostFromXds(
  host: Decoded<typeof VirtualHostSchema>,
  maxBodyBytes: number,
  problems: Problems,
): VirtualHost {
  if (host.name === '') {
    problems.add('required', 'name');
  }
  if (host.domains.length === 0) {
    problems.add('at least one domain is required', 'domains');
  }
  const { retry_policy: retry } = host;
  return {
    name: host.name,
    domains: problems.each('domains', host.domains, (domain) => {
      checkDomain(domain, problems);
      return domain.toLowerCase();
    }),
    routes: present(problems.each('routes', host.routes, (route) => routeFromXds(route, maxBodyBytes, problems))),
    headers: headerEditsFromXds(host, problems),
    retryPolicy:
      retry === undefined ? undefined : problems.within('retry_policy', () => retryPolicyFromXds(retry, problems)),
    ...(host.hedge_policy === undefined ? {} : { hedgeOnPerTryTimeout: host.hedge_policy.hedge_on_per_try_timeout }),
    includeIsTimeoutRetry: host.include_is_timeout_retry_header,
    includeRequestAttemptCount: host.include_request_attempt_count,
    includeAttemptCountInResponse: host.include_attempt_count_in_response,
    requireTls: requireTls[host.require_tls],
    mirrors: mirrorPoliciesFromXds(host.request_mirror_policies, problems),
    filterConfigs: routeFilterConfigsFromXds(host.typed_per_filter_config, problems),
    virtualClusters: problems.each('virtual_clusters', host.virtual_clusters, (cluster) => {
      if (cluster.name === '') {
        problems.add('required', 'name');
      }
      return {
        name: cluster.name,
        headers: present(problems.each('headers', cluster.headers, (matcher) => headerMatchFromXds(matcher, problems))),
      };
    }),
    requestBufferLimitBytes: host.per_request_buffer_limit_bytes,
  };
}

/** Exact, `*.suffix` or `*-suffix`, `prefix.*` or `prefix-*`, or `*`. */
function checkDomain(domain: string, problems: Problems): void {
  const stars = domain.split('*').length - 1;
  if (domain === '' || stars > 1 || (stars === 1 && !domain.startsWith('*') && !domain.endsWith('*'))) {
    problems.add(`${JSON.stringify(domain)} is neither a host nor a pattern with one star at an end`);
  }
}
