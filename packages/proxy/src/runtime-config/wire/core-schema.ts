/** Address, metadata, header and configuration-source messages that the others share. */

import {
  bool,
  boolValue,
  bytes,
  double,
  duration,
  enumeration,
  map,
  message,
  nested,
  only,
  optional,
  repeated,
  string,
  struct,
  uint32,
  uint32Value,
} from './schema.ts';

export const SocketAddress = message(
  'envoy.config.core.v3.SocketAddress',
  {
    protocol: only(enumeration(1, 'TCP=0 UDP=1'), 'TCP'),
    address: string(2),
    port_value: optional(uint32(3)),
    ipv4_compat: bool(6),
  },
  '4:named_port 5:resolver_name',
);

export const CidrRange = message('envoy.config.core.v3.CidrRange', {
  address_prefix: string(1),
  prefix_len: uint32Value(2),
});

export const Pipe = message('envoy.config.core.v3.Pipe', { path: string(1), mode: uint32(2) });

export const Address = message(
  'envoy.config.core.v3.Address',
  { socket_address: nested(1, SocketAddress), pipe: nested(2, Pipe) },
  '3:envoy_internal_address',
  [['socket_address', 'pipe']],
);

export const Metadata = message(
  'envoy.config.core.v3.Metadata',
  { filter_metadata: map(struct(1)) },
  '2:typed_filter_metadata',
);

export const Locality = message('envoy.config.core.v3.Locality', {
  region: string(1),
  zone: string(2),
  sub_zone: string(3),
});

export const DataSource = message(
  'envoy.config.core.v3.DataSource',
  {
    filename: optional(string(1)),
    inline_bytes: optional(bytes(2)),
    inline_string: optional(string(3)),
    environment_variable: optional(string(4)),
  },
  '5:watched_directory',
  [['filename', 'inline_bytes', 'inline_string', 'environment_variable']],
);

export const HeaderValue = message('envoy.config.core.v3.HeaderValue', {
  key: string(1),
  value: string(2),
  raw_value: bytes(3),
});

export const HeaderValueOption = message('envoy.config.core.v3.HeaderValueOption', {
  header: nested(1, HeaderValue),
  append: boolValue(2),
  append_action: enumeration(
    3,
    'APPEND_IF_EXISTS_OR_ADD=0 ADD_IF_ABSENT=1 OVERWRITE_IF_EXISTS_OR_ADD=2 OVERWRITE_IF_EXISTS=3',
  ),
  keep_empty_value: bool(4),
});

export const FractionalPercent = message('envoy.type.v3.FractionalPercent', {
  numerator: uint32(1),
  denominator: enumeration(2, 'HUNDRED=0 TEN_THOUSAND=1 MILLION=2'),
});

export const Percent = message('envoy.type.v3.Percent', { value: double(1) });

/** There is no runtime in which the key could be, so that the default value always holds. */
export const RuntimeFractionalPercent = message('envoy.config.core.v3.RuntimeFractionalPercent', {
  default_value: nested(1, FractionalPercent),
  runtime_key: string(2),
});

export const AggregatedConfigSource = message('envoy.config.core.v3.AggregatedConfigSource', {});

export const SelfConfigSource = message('envoy.config.core.v3.SelfConfigSource', {
  transport_api_version: enumeration(1, 'AUTO=0 V2=1 V3=2'),
});

export const GrpcServiceEnvoyGrpc = message(
  'envoy.config.core.v3.GrpcService.EnvoyGrpc',
  { cluster_name: string(1) },
  '2:authority 3:retry_policy 4:max_receive_message_length 5:skip_envoy_headers',
);

export const GrpcService = message(
  'envoy.config.core.v3.GrpcService',
  { envoy_grpc: nested(1, GrpcServiceEnvoyGrpc) },
  '2:google_grpc 3:timeout 5:initial_metadata 6:retry_policy',
);

export const ApiConfigSource = message(
  'envoy.config.core.v3.ApiConfigSource',
  {
    api_type: enumeration(
      1,
      'DEPRECATED_AND_UNAVAILABLE_DO_NOT_USE=0 REST=1 GRPC=2 DELTA_GRPC=3 AGGREGATED_GRPC=5 AGGREGATED_DELTA_GRPC=6',
    ),
    grpc_services: repeated(nested(4, GrpcService)),
    set_node_on_first_message_only: bool(7),
    transport_api_version: enumeration(8, 'AUTO=0 V2=1 V3=2'),
  },
  '2:cluster_names 3:refresh_delay 5:request_timeout 6:rate_limit_settings 9:config_validators',
);

export const ConfigSource = message(
  'envoy.config.core.v3.ConfigSource',
  {
    api_config_source: nested(2, ApiConfigSource),
    ads: nested(3, AggregatedConfigSource),
    initial_fetch_timeout: duration(4),
    self: nested(5, SelfConfigSource),
    resource_api_version: enumeration(6, 'AUTO=0 V2=1 V3=2'),
  },
  '1:path 7:authorities 8:path_config_source',
  [['api_config_source', 'ads', 'self']],
);
