/**
 * Envoy's `/stats` form of the metrics that Envoy has: `cluster.<name>.upstream_rq_total: 3`. Everything else keeps its
 * Prometheus name, with the labels that it has.
 * @param metrics the Prometheus text.
 */
export function envoyStatsText(metrics: string): string {
  const lines: string[] = [];
  for (const line of metrics.split('\n')) {
    if (line === '' || line.startsWith('#') || line.includes('_bucket{')) {
      continue;
    }
    const space = line.lastIndexOf(' ');
    lines.push(`${dottedName(line.slice(0, space))}: ${line.slice(space + 1)}`);
  }
  return `${lines.sort().join('\n')}\n`;
}

const scopes = [
  { prefix: 'envoy_cluster_', scope: 'cluster', label: 'envoy_cluster_name' },
  { prefix: 'envoy_http_', scope: 'http', label: 'envoy_http_conn_manager_prefix' },
  { prefix: 'envoy_listener_', scope: 'listener', label: 'envoy_listener_address' },
  { prefix: 'envoy_overload_', scope: 'overload', label: 'envoy_overload_action' },
  { prefix: 'envoy_overload_', scope: 'overload', label: 'envoy_overload_resource' },
] as const;

function dottedName(series: string): string {
  for (const { prefix, scope, label } of scopes) {
    const owner = new RegExp(`${label}="([^"]*)"`).exec(series)?.[1];
    if (series.startsWith(prefix) && owner !== undefined) {
      const code = /envoy_response_code="(\d+)"/.exec(series)?.[1];
      const group = /envoy_response_code_class="(\d)"/.exec(series)?.[1];
      const name = series.slice(prefix.length, series.indexOf('{')).replace(/^http2_/, 'http2.');
      const suffix = code === undefined ? '' : `_${code}`;
      return `${scope}.${owner}.${name.replace(/_xx$/, group === undefined ? '_xx' : `_${group}xx`)}${suffix}`;
    }
  }
  return series.startsWith('envoy_') && !series.includes('{')
    ? series.slice('envoy_'.length).replace('_', '.')
    : series;
}
