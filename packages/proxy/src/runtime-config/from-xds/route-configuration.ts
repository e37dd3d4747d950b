import type { RouteTable, VirtualHost } from '../config.ts';
import type { Problems } from '../wire/problems.ts';
import type { RouteConfiguration, VirtualHost as VirtualHostSchema } from '../wire/route-schema.ts';
import type { Decoded } from '../wire/schema.ts';
import { headerEditsFromXds } from './header-edits.ts';
import { present } from './present.ts';
import { retryPolicyFromXds } from './retry-policy.ts';
import { routeFromXds } from './route.ts';

/** `RouteConfiguration.max_direct_response_body_size_bytes`, "If not specified the default is 4096". */
const DEFAULT_MAX_DIRECT_RESPONSE_BODY_BYTES = 4096;

/** `envoy.config.route.v3.RouteConfiguration` */
export function routeTableFromXds(
  table: Decoded<typeof RouteConfiguration>,
  version: string,
  problems: Problems,
): RouteTable {
  const maxBodyBytes = table.max_direct_response_body_size_bytes ?? DEFAULT_MAX_DIRECT_RESPONSE_BODY_BYTES;
  const domains = new Map<string, string>();
  const virtualHosts = problems.each('virtual_hosts', table.virtual_hosts, (host) => {
    for (const domain of host.domains) {
      const owner = domains.get(domain.toLowerCase());
      if (owner !== undefined) {
        problems.add(`the domain ${JSON.stringify(domain)} is already that of ${JSON.stringify(owner)}`, 'domains');
      }
      domains.set(domain.toLowerCase(), host.name);
    }
    return virtualHostFromXds(host, maxBodyBytes, problems);
  });
  if (table.vhds !== undefined && table.vhds.config_source?.ads === undefined) {
    problems.add('virtual hosts are fetched by ADS only', 'vhds.config_source');
  }
  return {
    name: table.name,
    virtualHosts,
    vhds: table.vhds !== undefined,
    ignorePortInHostMatching: table.ignore_port_in_host_matching,
    headers: headerEditsFromXds(table, problems),
    version,
  };
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
    includeRequestAttemptCount: host.include_request_attempt_count,
    includeAttemptCountInResponse: host.include_attempt_count_in_response,
    requireTls: requireTls[host.require_tls],
  };
}

/** Exact, `*.suffix` or `*-suffix`, `prefix.*` or `prefix-*`, or `*`. */
function checkDomain(domain: string, problems: Problems): void {
  const stars = domain.split('*').length - 1;
  if (domain === '' || stars > 1 || (stars === 1 && !domain.startsWith('*') && !domain.endsWith('*'))) {
    problems.add(`${JSON.stringify(domain)} is neither a host nor a pattern with one star at an end`);
  }
}
