/**
 * How Envoy takes names apart that stand inside its metrics' names (`envoy.config.metrics.v3.StatsConfig`, proto3 JSON).
 *
 * Envoy's own expression for `envoy.cluster_name` ends a name at its first dot, which a host is full of. Ours ends it where the
 * rest is the name of a statistic. The first group is what is cut out, the second the value of the tag; RE2 syntax.
 */
export const statsConfig: Readonly<Record<string, unknown>> = {
  // Two expressions of one tag would compete, so that the default ones are named, but for those that we replace.
  use_all_default_tags: false,
  stats_tags: [
    { tag_name: 'envoy.cluster_name', regex: clusterName() },
    {
      tag_name: 'envoy.http_conn_manager_prefix',
      regex: String.raw`^(?:listener\..+?\.)?http\.((.+?)\.)(?:${httpStatistic()})$`,
    },
    { tag_name: 'envoy.rds_route_config', regex: String.raw`^http\..+?\.rds\.((.+)\.)[a-z0-9_]+$` },
    { tag_name: 'envoy.virtual_host', regex: String.raw`^vhost\.((.+?)\.)route\..+$` },
    { tag_name: 'envoy.route', regex: String.raw`^vhost\..+?\.route\.((.+?)\.)upstream_[a-z0-9_]+$` },
    { tag_name: 'envoy.tcp_prefix', regex: String.raw`^tcp\.((.+)\.)[a-z0-9_]+$` },
    ...[
      'envoy.http_user_agent',
      'envoy.listener_address',
      'envoy.response_code',
      'envoy.response_code_class',
      'envoy.ssl_cipher',
      'envoy.ssl_curve',
      'envoy.ssl_sigalg',
      'envoy.ssl_version',
      'envoy.worker_id',
    ].map((name) => ({ tag_name: name })),
  ],
};

function clusterName(): string {
  const statistic = [
    String.raw`(?:canary|external|internal|zone\.[^.]+\.[^.]+)\.upstream_[a-z0-9_]+`,
    String.raw`circuit_breakers\.[a-z]+\.[a-z0-9_]+`,
    String.raw`(?:client_ssl_socket_factory|http[123]|outlier_detection|ssl)\.[a-z0-9_]+`,
    String.raw`ssl\.(?:ciphers|curves|sigalgs|versions)\.[^.]+(?:\.[0-9])?`,
    String.raw`ssl\.certificate\..+`,
    // Our names of transport_socket_matches.
    String.raw`(?:default|tlsMode-[a-z]+)\.total_match_count`,
    '[a-z0-9_]+',
  ];
  return String.raw`^cluster\.((.+?)\.)(?:${statistic.join('|')})$`;
}

function httpStatistic(): string {
  return String.raw`(?:on_demand|tracing)\.[a-z0-9_]+|(?:rds|user_agent)\..+|[a-z0-9_]+`;
}
