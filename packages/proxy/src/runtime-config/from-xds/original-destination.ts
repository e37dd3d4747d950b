import type { OriginalDestinationOptions } from '../discovery.ts';
import type { Cluster } from '../wire/cluster-schema.ts';
import type { Problems } from '../wire/problems.ts';
import type { Decoded } from '../wire/schema.ts';

const DEFAULT_HEADER = 'x-envoy-original-dst-host';
/** `Cluster.cleanup_interval`, "If not specified, the default is 5000ms". */
const DEFAULT_CLEANUP_MS = 5000;

/** `envoy.config.cluster.v3.Cluster.OriginalDstLbConfig`, and what a cluster of this type may have beside it. */
export function originalDestinationFromXds(
  cluster: Decoded<typeof Cluster>,
  problems: Problems,
): OriginalDestinationOptions {
  const { original_dst_lb_config: config, cleanup_interval: cleanupMs = DEFAULT_CLEANUP_MS } = cluster;
  const refused = {
    load_assignment: cluster.load_assignment,
    lb_subset_config: cluster.lb_subset_config,
    load_balancing_policy: cluster.load_balancing_policy,
    health_checks: cluster.health_checks[0],
  };
  for (const [field, value] of Object.entries(refused)) {
    if (value !== undefined) {
      problems.add('set in a cluster of type ORIGINAL_DST', field);
    }
  }
  if (cluster.lb_policy !== 'CLUSTER_PROVIDED') {
    problems.add('CLUSTER_PROVIDED is required with the type ORIGINAL_DST', 'lb_policy');
  }
  if (cleanupMs <= 0) {
    problems.add('must be above 0', 'cleanup_interval');
  }
  return problems.within('original_dst_lb_config', () => {
    if (config?.use_http_header !== true) {
      problems.add(
        'required: where a connection went before it was redirected cannot be asked in Node (SO_ORIGINAL_DST)',
        'use_http_header',
      );
    }
    const port = config?.upstream_port_override;
    if (port !== undefined && port > 65_535) {
      problems.add('must be at most 65535', 'upstream_port_override');
    }
    const header = config?.http_header_name.toLowerCase() ?? '';
    if (header.startsWith(':') && header !== ':authority') {
      problems.add('of the pseudo fields only :authority names an address', 'http_header_name');
    }
    return { header: header === '' ? DEFAULT_HEADER : header, cleanupMs, ...(port === undefined ? {} : { port }) };
  });
}
