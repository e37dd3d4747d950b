import { isIP } from 'node:net';
import type { HeaderMutation, HttpConnectionManagerConfig, RouteTable } from '../config.ts';
import type { HttpConnectionManager } from '../wire/http-connection-manager-schema.ts';
import type { Problems } from '../wire/problems.ts';
import type { Decoded } from '../wire/schema.ts';
import { accessLogsFromXds } from './access-log.ts';
import { httpFiltersFromXds, mutationListFromXds } from './http-filters.ts';
import { http2OptionsFromXds } from './http2-options.ts';
import { routeTableFromXds } from './route-configuration.ts';

type Schema = Decoded<typeof HttpConnectionManager>;

/** Defaults of `envoy.extensions.filters.network.http_connection_manager.v3`, all from the comments of its proto. */
const defaults = {
  maxRequestHeadersKb: 60,
  maxHeadersCount: 100,
  streamIdleTimeoutMs: 300_000,
  idleTimeoutMs: 3_600_000,
  drainTimeoutMs: 5000,
  delayedCloseTimeoutMs: 1000,
  serverName: 'envoy',
  /** Envoy allows as many as the protocol does and advises 100 to whoever takes requests of strangers. */
  maxConcurrentStreams: 100,
} as const;

/** Envoy's bound of `max_request_headers_kb`. */
const MAX_REQUEST_HEADERS_KB = 8192;

const codecs = { AUTO: 'auto', HTTP1: 'http1', HTTP2: 'http2', HTTP3: undefined } as const;
const serverHeaders = {
  OVERWRITE: 'overwrite',
  APPEND_IF_ABSENT: 'append-if-absent',
  PASS_THROUGH: 'pass-through',
} as const;
const clientCertificates = {
  SANITIZE: 'sanitize',
  FORWARD_ONLY: 'forward-only',
  APPEND_FORWARD: 'append-forward',
  SANITIZE_SET: 'sanitize-set',
  ALWAYS_FORWARD_ONLY: 'always-forward-only',
} as const;
const escapedSlashes = {
  IMPLEMENTATION_SPECIFIC_DEFAULT: 'keep-unchanged',
  KEEP_UNCHANGED: 'keep-unchanged',
  REJECT_REQUEST: 'reject',
  UNESCAPE_AND_REDIRECT: 'unescape-and-redirect',
  UNESCAPE_AND_FORWARD: 'unescape-and-forward',
} as const;

/**
 * `envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager`
 * @param inlineName the name under which an inline route configuration is registered.
 * @param onInlineRoutes receives it.
 */
export function httpConnectionManagerFromXds(
  manager: Schema,
  inlineName: string,
  version: string,
  onInlineRoutes: (table: RouteTable) => void,
  problems: Problems,
): HttpConnectionManagerConfig {
  if (manager.stat_prefix === '') {
    problems.add('required', 'stat_prefix');
  }
  const codec = codecs[manager.codec_type];
  if (codec === undefined) {
    problems.add(`${manager.codec_type} is not supported by this proxy`, 'codec_type');
  }
  const kb = manager.max_request_headers_kb ?? defaults.maxRequestHeadersKb;
  if (kb < 1 || kb > MAX_REQUEST_HEADERS_KB) {
    problems.add(`must be from 1 to ${MAX_REQUEST_HEADERS_KB}`, 'max_request_headers_kb');
  }
  const common = manager.common_http_protocol_options;
  const details = manager.set_current_client_cert_details;
  return {
    kind: 'http-connection-manager',
    statPrefix: manager.stat_prefix,
    codec: codec ?? 'auto',
    routeConfigName: routesFromXds(manager, inlineName, version, onInlineRoutes, problems),
    httpFilters: httpFiltersFromXds(manager.http_filters, problems),
    useRemoteAddress: manager.use_remote_address ?? false,
    earlyHeaderMutations: earlyHeaderMutationsFromXds(manager, problems),
    xffNumTrustedHops: trustedHopsFromXds(manager, problems),
    skipXffAppend: manager.skip_xff_append,
    internalAddresses: internalAddressesFromXds(manager.internal_address_config, problems),
    appendXForwardedPort: manager.append_x_forwarded_port,
    schemeToOverwrite: schemeFromXds(manager, problems),
    headersWithUnderscores: underscoreActions[common?.headers_with_underscores_action ?? 'ALLOW'],
    generateRequestId: manager.generate_request_id ?? true,
    preserveExternalRequestId: manager.preserve_external_request_id,
    alwaysSetRequestIdInResponse: manager.always_set_request_id_in_response,
    serverName: manager.server_name === '' ? defaults.serverName : manager.server_name,
    serverHeader: serverHeaders[manager.server_header_transformation],
    via: manager.via,
    forwardClientCert: clientCertificates[manager.forward_client_cert_details],
    setCurrentClientCert: {
      subject: details?.subject ?? false,
      uri: details?.uri ?? false,
      dns: details?.dns ?? false,
      cert: details?.cert ?? false,
      chain: details?.chain ?? false,
    },
    normalizePath: manager.normalize_path ?? false,
    mergeSlashes: manager.merge_slashes,
    pathWithEscapedSlashes: escapedSlashes[manager.path_with_escaped_slashes_action],
    stripAnyHostPort: manager.strip_any_host_port ?? false,
    stripMatchingHostPort: manager.strip_matching_host_port,
    stripTrailingHostDot: manager.strip_trailing_host_dot,
    allowAbsoluteUrl: manager.http_protocol_options?.allow_absolute_url ?? true,
    acceptHttp10: manager.http_protocol_options?.accept_http_10 ?? false,
    maxRequestHeadersKb: kb,
    maxHeadersCount: common?.max_headers_count ?? defaults.maxHeadersCount,
    requestTimeoutMs: manager.request_timeout ?? 0,
    requestHeadersTimeoutMs: manager.request_headers_timeout ?? 0,
    streamIdleTimeoutMs: manager.stream_idle_timeout ?? defaults.streamIdleTimeoutMs,
    idleTimeoutMs: common?.idle_timeout ?? defaults.idleTimeoutMs,
    maxConnectionDurationMs: common?.max_connection_duration ?? 0,
    drainTimeoutMs: manager.drain_timeout ?? defaults.drainTimeoutMs,
    delayedCloseTimeoutMs: manager.delayed_close_timeout ?? defaults.delayedCloseTimeoutMs,
    maxRequestsPerConnection: common?.max_requests_per_connection ?? 0,
    maxStreamDurationMs: common?.max_stream_duration ?? 0,
    http2: problems.within('http2_protocol_options', () =>
      http2OptionsFromXds(manager.http2_protocol_options, defaults.maxConcurrentStreams, problems),
    ),
    accessLogs: accessLogsFromXds(manager.access_log, problems),
    upgrades: manager.upgrade_configs
      .filter(({ enabled }) => enabled !== false)
      .map(({ upgrade_type: type }) => type.toLowerCase()),
    suppressEnvoyHeaders: manager.http_filters.some(
      ({ typed_config: config }) =>
        config?.type === 'envoy.extensions.filters.http.router.v3.Router' && config.value.suppress_envoy_headers,
    ),
  };
}

const underscoreActions = { ALLOW: 'allow', REJECT_REQUEST: 'reject', DROP_HEADER: 'drop' } as const;

/** One extension after the other, and the mutations of each in order. */
function earlyHeaderMutationsFromXds(manager: Schema, problems: Problems): readonly HeaderMutation[] {
  const field = 'early_header_mutation_extensions';
  return problems
    .each(field, manager[field], ({ typed_config: config }) => {
      if (config === undefined) {
        problems.add('required', 'typed_config');
        return [];
      }
      const { mutations } = config.value;
      if (mutations.length === 0) {
        problems.add('at least one mutation is required', 'typed_config.mutations');
      }
      return problems.within('typed_config', () => mutationListFromXds('mutations', mutations, problems));
    })
    .flat();
}

/** The extension that reads x-forwarded-for does what `xff_num_trusted_hops` does where the remote address is not used. */
function trustedHopsFromXds(manager: Schema, problems: Problems): number {
  const extensions = manager.original_ip_detection_extensions;
  if (extensions.length === 0) {
    return manager.xff_num_trusted_hops;
  }
  if (extensions.length > 1) {
    problems.add('more than one is not supported', 'original_ip_detection_extensions');
  }
  if (manager.use_remote_address === true || manager.xff_num_trusted_hops > 0) {
    problems.add('excludes use_remote_address and xff_num_trusted_hops', 'original_ip_detection_extensions');
  }
  const [first] = extensions;
  if (first?.typed_config === undefined) {
    problems.add('required', 'original_ip_detection_extensions[0].typed_config');
    return 0;
  }
  return first.typed_config.value.xff_num_trusted_hops;
}

function internalAddressesFromXds(
  config: Schema['internal_address_config'],
  problems: Problems,
): HttpConnectionManagerConfig['internalAddresses'] {
  if (config === undefined) {
    return undefined;
  }
  return problems.within('internal_address_config', () => ({
    unixSockets: config.unix_sockets,
    ranges: problems.each('cidr_ranges', config.cidr_ranges, ({ address_prefix: address, prefix_len: length }) => {
      const version = isIP(address);
      const prefixLength = length ?? 0;
      if (version === 0) {
        problems.add(`${JSON.stringify(address)} is not an IP address`, 'address_prefix');
      } else if (prefixLength > (version === 4 ? 32 : 128)) {
        problems.add('is longer than the address', 'prefix_len');
      }
      return { address, prefixLength };
    }),
  }));
}

function schemeFromXds(manager: Schema, problems: Problems): HttpConnectionManagerConfig['schemeToOverwrite'] {
  const scheme = manager.scheme_header_transformation?.scheme_to_overwrite;
  if (scheme === undefined || scheme === 'http' || scheme === 'https') {
    return scheme;
  }
  problems.add('must be http or https', 'scheme_header_transformation.scheme_to_overwrite');
  return undefined;
}

function routesFromXds(
  manager: Schema,
  inlineName: string,
  version: string,
  onInlineRoutes: (table: RouteTable) => void,
  problems: Problems,
): string {
  const { rds, route_config: inline } = manager;
  if (rds !== undefined) {
    if (rds.config_source?.ads === undefined) {
      problems.add('routes are fetched by ADS only', 'rds.config_source');
    }
    if (rds.route_config_name === '') {
      problems.add('required', 'rds.route_config_name');
    }
    return rds.route_config_name;
  }
  if (inline === undefined) {
    problems.add('one of rds, route_config is required');
    return inlineName;
  }
  const table = problems.within('route_config', () => routeTableFromXds(inline, version, problems));
  onInlineRoutes({ ...table, name: inlineName });
  return inlineName;
}
