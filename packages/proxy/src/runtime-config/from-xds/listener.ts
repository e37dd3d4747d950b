import type {
  ConnectionRateLimit,
  DownstreamTls,
  FilterChain,
  FilterChainMatch,
  ListenerConfig,
  NetworkFilter,
  ProxyProtocolConfig,
  RouteTable,
} from '../config.ts';
import type { FilterChain as FilterChainSchema, Listener, ProxyProtocol } from '../wire/listener-schema.ts';
import type { Problems } from '../wire/problems.ts';
import type { Decoded } from '../wire/schema.ts';
import { addressFromXds } from './address.ts';
import { connectionRateFromXds } from './connection-rate.ts';
import { httpConnectionManagerFromXds } from './http-connection-manager.ts';
import { present } from './present.ts';
import { tcpProxyFromXds } from './tcp-proxy.ts';
import { downstreamTlsFromXds } from './tls.ts';

/** `Listener.listener_filters_timeout`, "If not specified, defaults to 15s". */
const DEFAULT_LISTENER_FILTERS_TIMEOUT_MS = 15_000;

/** `Listener.per_connection_buffer_limit_bytes`, "If unspecified, an implementation defined default is applied (1MiB)". */
const DEFAULT_BUFFER_LIMIT_BYTES = 1024 * 1024;
/** Linux cuts it to `net.core.somaxconn`, whose default this is. */
const DEFAULT_BACKLOG = 4096;

const TLS_INSPECTOR = 'envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector';
const HTTP_INSPECTOR = 'envoy.extensions.filters.listener.http_inspector.v3.HttpInspector';
const LOCAL_RATE_LIMIT = 'envoy.extensions.filters.listener.local_ratelimit.v3.LocalRateLimit';
const PROXY_PROTOCOL = 'envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol';

const directions = { UNSPECIFIED: 'unspecified', INBOUND: 'inbound', OUTBOUND: 'outbound' } as const;

/** A listener and the route configurations that it brings along. */
export interface ListenerResource {
  readonly listener: ListenerConfig;
  readonly inlineRoutes: readonly RouteTable[];
}

/** `envoy.config.listener.v3.Listener` */
export function listenerFromXds(
  listener: Decoded<typeof Listener>,
  version: string,
  problems: Problems,
): ListenerResource {
  const inlineRoutes: RouteTable[] = [];
  const convert = (chain: Decoded<typeof FilterChainSchema>, label: string): FilterChain | undefined =>
    filterChainFromXds(
      chain,
      `${listener.name}/${label}/inline`,
      version,
      (table) => inlineRoutes.push(table),
      problems,
    );
  const address = problems.within('address', () => addressFromXds(listener.address, false, problems));
  const filterChains = present(
    problems.each('filter_chains', listener.filter_chains, (chain, index) =>
      convert(chain, chain.name === '' ? String(index) : chain.name),
    ),
  );
  const { default_filter_chain: fallback } = listener;
  const defaultFilterChain =
    fallback === undefined ? undefined : problems.within('default_filter_chain', () => convert(fallback, 'default'));
  if (filterChains.length === 0 && defaultFilterChain === undefined) {
    problems.add('at least one filter chain is required', 'filter_chains');
  }
  refuseEqualMatches(filterChains, problems);
  const filters = listenerFiltersFromXds(listener, problems);
  if (listener.tcp_backlog_size === 0) {
    problems.add('must be above 0', 'tcp_backlog_size');
  }
  return {
    listener: {
      name: listener.name,
      address: address ?? { kind: 'ip', address: '127.0.0.1', port: 0 },
      direction: directions[listener.traffic_direction],
      ...filters,
      listenerFiltersTimeoutMs: listener.listener_filters_timeout ?? DEFAULT_LISTENER_FILTERS_TIMEOUT_MS,
      continueOnListenerFiltersTimeout: listener.continue_on_listener_filters_timeout,
      bufferLimitBytes: listener.per_connection_buffer_limit_bytes ?? DEFAULT_BUFFER_LIMIT_BYTES,
      backlog: listener.tcp_backlog_size ?? DEFAULT_BACKLOG,
      reusePort: listener.enable_reuse_port ?? false,
      filterChains,
      defaultFilterChain,
      version,
    },
    inlineRoutes,
  };
}

function listenerFiltersFromXds(
  listener: Decoded<typeof Listener>,
  problems: Problems,
): Pick<ListenerConfig, 'proxyProtocol' | 'connectionRate' | 'tlsInspector' | 'httpInspector'> {
  let connectionRate: ConnectionRateLimit | undefined;
  let proxyProtocol: ProxyProtocolConfig | undefined;
  const seen = new Set<string>();
  problems.each('listener_filters', listener.listener_filters, ({ typed_config: config }) => {
    if (config === undefined) {
      problems.add('required', 'typed_config');
      return;
    }
    if (seen.has(config.type)) {
      problems.add('is there twice', 'typed_config');
    }
    if (config.type === PROXY_PROTOCOL) {
      if (seen.size > (seen.has(LOCAL_RATE_LIMIT) ? 1 : 0)) {
        problems.add('must be the first listener filter: the header stands before what the others look at');
      }
      proxyProtocol = proxyProtocolFromXds(config.value, problems);
    }
    if (config.type === LOCAL_RATE_LIMIT) {
      if (seen.size > 0) {
        problems.add('must be the first listener filter: connections are counted as they come');
      }
      connectionRate = problems.within('typed_config', () => connectionRateFromXds(config.value, problems));
    }
    seen.add(config.type);
  });
  // The order of the two inspectors makes no difference: HTTP is looked for in what is not TLS.
  return {
    proxyProtocol,
    ...(connectionRate === undefined ? {} : { connectionRate }),
    tlsInspector: seen.has(TLS_INSPECTOR),
    httpInspector: seen.has(HTTP_INSPECTOR),
  };
}

function proxyProtocolFromXds(filter: Decoded<typeof ProxyProtocol>, problems: Problems): ProxyProtocolConfig {
  const refused = new Set(filter.disallowed_versions);
  if (refused.size > 1) {
    problems.add('both versions are refused', 'typed_config.disallowed_versions');
  }
  return {
    allowWithoutHeader: filter.allow_requests_without_proxy_protocol,
    refusedVersions: [...refused].map((version) => (version === 'V1' ? 1 : 2)),
  };
}

/** Two chains with the same match would make the second one dead; Envoy refuses them as well. */
function refuseEqualMatches(chains: readonly FilterChain[], problems: Problems): void {
  const seen = new Set<string>();
  chains.forEach(({ match }, index) => {
    const key = JSON.stringify([
      match.destinationPort,
      [...match.serverNames].sort(),
      match.transportProtocol,
      [...match.applicationProtocols].sort(),
    ]);
    if (seen.has(key)) {
      problems.add('has the same match as an earlier chain', `filter_chains[${index}].filter_chain_match`);
    }
    seen.add(key);
  });
}

function filterChainFromXds(
  chain: Decoded<typeof FilterChainSchema>,
  inlineName: string,
  version: string,
  onInlineRoutes: (table: RouteTable) => void,
  problems: Problems,
): FilterChain | undefined {
  const match = problems.within('filter_chain_match', () => matchFromXds(chain, problems));
  const downstreamTls = problems.within('transport_socket', () => tlsFromXds(chain, problems));
  const filter = problems.within('filters', () => {
    if (chain.filters.length !== 1) {
      problems.add(`exactly one filter is supported, not ${chain.filters.length}`);
    }
    return problems.within(0, () => filterFromXds(chain, inlineName, version, onInlineRoutes, problems));
  });
  return filter === undefined ? undefined : { name: chain.name, match, downstreamTls, filter };
}

function filterFromXds(
  chain: Decoded<typeof FilterChainSchema>,
  inlineName: string,
  version: string,
  onInlineRoutes: (table: RouteTable) => void,
  problems: Problems,
): NetworkFilter | undefined {
  const config = chain.filters[0]?.typed_config;
  if (config === undefined) {
    problems.add('required', 'typed_config');
    return undefined;
  }
  return problems.within('typed_config', () =>
    config.type === 'envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy'
      ? tcpProxyFromXds(config.value, problems)
      : httpConnectionManagerFromXds(config.value, inlineName, version, onInlineRoutes, problems),
  );
}

function matchFromXds(chain: Decoded<typeof FilterChainSchema>, problems: Problems): FilterChainMatch {
  const match = chain.filter_chain_match;
  const transport = match?.transport_protocol ?? '';
  if (transport !== '' && transport !== 'tls' && transport !== 'raw_buffer') {
    problems.add(`${JSON.stringify(transport)} is not supported, tls and raw_buffer are`, 'transport_protocol');
  }
  const serverNames = problems.each('server_names', match?.server_names ?? [], (name) => {
    if (name === '' || name.lastIndexOf('*') > 0 || (name.startsWith('*') && !name.startsWith('*.'))) {
      problems.add(`${JSON.stringify(name)} is neither a name nor *.suffix`);
    }
    return name.toLowerCase();
  });
  return {
    destinationPort: match?.destination_port,
    serverNames,
    transportProtocol: transport === 'tls' || transport === 'raw_buffer' ? transport : undefined,
    applicationProtocols: match?.application_protocols ?? [],
  };
}

function tlsFromXds(chain: Decoded<typeof FilterChainSchema>, problems: Problems): DownstreamTls | undefined {
  const socket = chain.transport_socket;
  if (socket === undefined) {
    return undefined;
  }
  const config = socket.typed_config;
  if (config === undefined) {
    problems.add('required', 'typed_config');
    return undefined;
  }
  return config.type === 'envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer'
    ? undefined
    : problems.within('typed_config', () => downstreamTlsFromXds(config.value, problems));
}
