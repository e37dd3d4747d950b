import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../src/runtime-config/wire/schema.ts';
import { refusalsOf } from './support/static-config.ts';

/** What of subsets, original destinations, retry priorities and error matchers is refused, with the field that is named. */

const cluster = (fields: JsonObject): JsonObject => ({
  name: 'c',
  type: 'STATIC',
  load_assignment: { cluster_name: 'c', endpoints: [] },
  ...fields,
});
const original = (fields: JsonObject, config: JsonObject = {}): JsonObject => ({
  ...{ name: 'c', type: 'ORIGINAL_DST', lb_policy: 'CLUSTER_PROVIDED' },
  original_dst_lb_config: { use_http_header: true, ...config },
  ...fields,
});
const selector = (fields: JsonObject): JsonObject =>
  cluster({ lb_subset_config: { subset_selectors: [{ keys: ['a', 'b'], ...fields }] } });
const optionsName = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';
const errors = (error_matcher: JsonObject): JsonObject =>
  cluster({
    typed_extension_protocol_options: {
      [optionsName]: {
        '@type': `type.googleapis.com/${optionsName}`,
        explicit_http_config: { http_protocol_options: {} },
        outlier_detection: { error_matcher },
      },
    },
  });
const status: JsonObject = { http_response_headers_match: { headers: [{ name: ':status', present_match: true }] } };

const clusters: readonly (readonly [field: RegExp, cluster: JsonObject])[] = [
  [/subset_selectors\[0\]\.keys: required/, selector({ keys: [] })],
  [/single_host_per_subset: a selector with it has one key/, selector({ single_host_per_subset: true })],
  [/fallback_keys_subset: goes together/, selector({ fallback_policy: 'KEYS_SUBSET' })],
  [/fallback_keys_subset: goes together/, selector({ fallback_keys_subset: ['a'] })],
  [
    /fallback_keys_subset: has some of the keys/,
    selector({ fallback_policy: 'KEYS_SUBSET', fallback_keys_subset: ['c'] }),
  ],
  [
    /fallback_keys_subset: has some of the keys/,
    selector({ fallback_policy: 'KEYS_SUBSET', fallback_keys_subset: ['b', 'a'] }),
  ],
  [
    /locality_weight_aware: common_lb_config\.locality_weighted_lb_config is required/,
    cluster({ lb_subset_config: { locality_weight_aware: true } }),
  ],
  [/metadata_fallback_policy/, cluster({ lb_subset_config: { metadata_fallback_policy: 'FALLBACK_LIST' } })],
  [
    /lb_subset_config: cannot be combined with load_balancing_policy/,
    cluster({
      lb_subset_config: {},
      load_balancing_policy: {
        policies: [
          {
            typed_extension_config: {
              name: 'r',
              typed_config: {
                '@type': 'type.googleapis.com/envoy.extensions.load_balancing_policies.random.v3.Random',
              },
            },
          },
        ],
      },
    }),
  ],
  [/lb_policy: CLUSTER_PROVIDED is required with the type ORIGINAL_DST/, original({ lb_policy: 'ROUND_ROBIN' })],
  [/lb_policy: goes together with the type ORIGINAL_DST/, cluster({ lb_policy: 'CLUSTER_PROVIDED' })],
  [/load_assignment: set in a cluster of type ORIGINAL_DST/, original({ load_assignment: { cluster_name: 'c' } })],
  [/lb_subset_config: set in a cluster of type ORIGINAL_DST/, original({ lb_subset_config: {} })],
  [/cleanup_interval: must be above 0/, original({ cleanup_interval: '0s' })],
  [/use_http_header: required: .*SO_ORIGINAL_DST/, original({}, { use_http_header: false })],
  [/upstream_port_override: must be at most 65535/, original({}, { upstream_port_override: 65_536 })],
  [/http_header_name: of the pseudo fields only :authority/, original({}, { http_header_name: ':path' })],
  [/metadata_key: not supported/, original({}, { metadata_key: { key: 'x' } })],
  [/error_matcher: one of or_match/, errors({})],
  [/error_matcher\.or_match\.rules: at least two/, errors({ or_match: { rules: [status] } })],
  [/and_match\.rules\[1\]\.not_match: one of or_match/, errors({ and_match: { rules: [status, { not_match: {} }] } })],
  [/http_response_trailers_match: not supported/, errors({ http_response_trailers_match: { headers: [] } })],
];

for (const [field, resource] of clusters) {
  test(`of a cluster: ${field.source}`, () => assert.match(refusalsOf({ clusters: [resource] }), field));
}

const priorities = 'envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig';
const route = (retry_priority: JsonObject): JsonObject => ({
  name: 'r',
  virtual_hosts: [
    {
      name: 'v',
      domains: ['*'],
      routes: [{ match: { prefix: '/' }, route: { cluster: 'c', retry_policy: { retry_on: '5xx', retry_priority } } }],
    },
  ],
});

for (const [field, retry] of [
  [/retry_priority\.typed_config: required/, { name: 'x' }],
  [
    /retry_priority\.typed_config\.update_frequency: must be at least 1/,
    { name: 'x', typed_config: { '@type': `type.googleapis.com/${priorities}`, update_frequency: -1 } },
  ],
] as const) {
  test(`of a route: ${field.source}`, () => assert.match(refusalsOf({ routes: [route(retry)] }), field));
}
