import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { JsonObject } from '../src/runtime-config/wire/schema.ts';
import { refusalsOf } from './support/static-config.ts';

const mutationType = 'envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation';

function extension(mutations: readonly JsonObject[], type = mutationType): JsonObject {
  return { name: 'early', typed_config: { '@type': `type.googleapis.com/${type}`, mutations } };
}

function refusal(extensions: readonly JsonObject[]): string {
  const manager = {
    '@type': 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    stat_prefix: 'x',
    rds: { config_source: { ads: {} }, route_config_name: 'r' },
    early_header_mutation_extensions: extensions,
    http_filters: [
      {
        name: 'envoy.filters.http.router',
        typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
      },
    ],
  };
  return refusalsOf({
    listeners: [
      {
        name: 'l',
        address: { socket_address: { address: '127.0.0.1', port_value: 80 } },
        filter_chains: [{ filters: [{ name: 'hcm', typed_config: manager }] }],
      },
    ],
  });
}

const set = (key: string, value: string): JsonObject => ({
  append: { header: { key, value }, append_action: 'OVERWRITE_IF_EXISTS_OR_ADD' },
});

describe('header mutations before routing', () => {
  it('are taken', () => {
    assert.equal(refusal([extension([set('x-chain', 'a'), { remove: 'x-gone' }])]), '');
  });

  it('are refused for what is no header, for a value that cannot be, and where there is nothing to do', () => {
    const at = /early_header_mutation_extensions\[0\]\.typed_config\.mutations\[0\]/;
    assert.match(refusal([extension([])]), /typed_config\.mutations: at least one mutation is required/);
    for (const [mutation, said] of [
      [set(':path', '/'), /append\.header\.key: :path cannot be edited as a header/],
      [set('x-a', 'b\r\nx-c: d'), /append\.header\.value: holds a line break/],
      [set('x-a', '100%'), /append\.header\.value/],
      [{ remove: 'content-length' }, /remove: content-length frames the message/],
      [{}, /one of remove, append is required/],
    ] as const) {
      const found = refusal([extension([mutation])]);
      assert.match(found, at);
      assert.match(found, said);
    }
  });

  it('are refused as another extension', () => {
    const other = 'envoy.extensions.http.early_header_mutation.other.v3.Other';
    assert.match(refusal([extension([], other)]), /early_header_mutation_extensions\[0\]\.typed_config/);
    assert.match(refusal([{ name: 'early' }]), /early_header_mutation_extensions\[0\]\.typed_config: required/);
  });
});
