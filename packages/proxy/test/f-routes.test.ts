import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BinaryWriter, typeUrls } from '@weft/xds-types';
import { compileRouteTable } from '../src/route/route-table.ts';
import type { RouteTable } from '../src/runtime-config/config.ts';
import { resourceTypes } from '../src/runtime-config/from-xds/resource-types.ts';
import type { JsonObject } from '../src/runtime-config/wire/schema.ts';
import { refusalsOf } from './support/static-config.ts';

function bytesOf(fields: readonly (readonly [number: number, value: string | Uint8Array])[]): Uint8Array {
  const writer = new BinaryWriter();
  for (const [number, value] of fields) {
    writer.uint32((number << 3) | 2);
    if (typeof value === 'string') {
      writer.string(value);
    } else {
      writer.bytes(value);
    }
  }
  return writer.finish();
}

function host(domain: string, prefix: string): Uint8Array {
  const route = bytesOf([
    [1, bytesOf([[1, prefix]])],
    [2, bytesOf([[1, 'cluster']])],
  ]);
  return bytesOf([
    [1, domain],
    [2, domain],
    [3, route],
  ]);
}

function table(name: string, hosts: readonly Uint8Array[], bodyLimit?: number): RouteTable {
  const writer = new BinaryWriter();
  writer.uint32((1 << 3) | 2).string(name);
  for (const entry of hosts) {
    writer.uint32((2 << 3) | 2).bytes(entry);
  }
  if (bodyLimit !== undefined) {
    writer
      .uint32((11 << 3) | 2)
      .fork()
      .uint32(8)
      .uint32(bodyLimit)
      .join();
  }
  const type = resourceTypes.find(({ typeUrl }) => typeUrl === typeUrls.routeConfiguration);
  const result = type?.decode(name, writer.finish());
  assert.ok(result !== undefined && 'ok' in result, JSON.stringify(result));
  return result.ok as RouteTable;
}

describe('versions of a route configuration', () => {
  it('share the virtual hosts that did not change, and what was made of them', () => {
    const first = table('shared', [host('a', '/'), host('b', '/'), host('c', '/')]);
    const second = table('shared', [host('a', '/'), host('b', '/new'), host('c', '/')]);
    assert.equal(second.virtualHosts[0], first.virtualHosts[0]);
    assert.notEqual(second.virtualHosts[1], first.virtualHosts[1]);
    assert.equal(second.virtualHosts[2], first.virtualHosts[2]);
    const before = compileRouteTable(first);
    const after = compileRouteTable(second, before);
    assert.equal(after.virtualHostOf('a'), before.virtualHostOf('a'));
    assert.notEqual(after.virtualHostOf('b'), before.virtualHostOf('b'));
    assert.equal(after.virtualHostOf('b')?.routes[0]?.config.match.path.kind, 'prefix');
  });

  it('share nothing where something else decides how a virtual host is read', () => {
    const first = table('limited', [host('a', '/')]);
    assert.notEqual(table('limited', [host('a', '/')], 1).virtualHosts[0], first.virtualHosts[0]);
    assert.notEqual(table('another', [host('a', '/')]).virtualHosts[0], first.virtualHosts[0]);
  });

  it('find hosts that came, went and moved', () => {
    const first = compileRouteTable(table('moving', [host('a', '/'), host('b', '/')]));
    const second = compileRouteTable(table('moving', [host('b', '/'), host('c', '/')]), first);
    assert.equal(second.virtualHostOf('a'), undefined);
    assert.equal(second.virtualHostOf('b')?.config.name, 'b');
    assert.equal(second.virtualHostOf('c')?.config.name, 'c');
  });
});

describe('what of routes is refused', () => {
  function refusal(route: JsonObject, hostFields: JsonObject = {}): string {
    return refusalsOf({
      routes: [{ name: 'r', virtual_hosts: [{ name: 'h', domains: ['*'], routes: [route], ...hostFields }] }],
    });
  }
  const match = { prefix: '/' };
  const any = (type: string, fields: JsonObject = {}): JsonObject => ({
    '@type': `type.googleapis.com/${type}`,
    ...fields,
  });

  for (const [name, route, hostFields, reason] of [
    ['a matcher tree', { match, route: { cluster: 'c' } }, { matcher: {} }, /matcher: not supported/],
    ['a cluster specifier plugin', { match, route: { cluster_specifier_plugin: 'p' } }, {}, /cluster_specifier_plugin/],
    [
      'dynamic metadata',
      { match: { ...match, dynamic_metadata: [{}] }, route: { cluster: 'c' } },
      {},
      /dynamic_metadata/,
    ],
    ['early data', { match, route: { cluster: 'c', early_data_policy: {} } }, {}, /early_data_policy/],
    [
      'two rewrites',
      { match, route: { cluster: 'c', prefix_rewrite: '/a', regex_rewrite: { pattern: { regex: 'a' } } } },
      {},
      /exclude each other/,
    ],
    [
      'a template rewrite without a template',
      {
        match,
        route: {
          cluster: 'c',
          path_rewrite_policy: {
            name: 'x',
            typed_config: any('envoy.extensions.path.rewrite.uri_template.v3.UriTemplateRewriteConfig', {
              path_template_rewrite: '/a',
            }),
          },
        },
      },
      {},
      /only where the match is by a template/,
    ],
    [
      'a filter that is not known',
      {
        match,
        route: { cluster: 'c' },
        typed_per_filter_config: { lua: any('envoy.extensions.filters.http.lua.v3.LuaPerRoute') },
      },
      {},
      /typed_per_filter_config\.lua: the type .*LuaPerRoute" is not supported here/,
    ],
    [
      'a fault with a status that is none',
      {
        match,
        route: { cluster: 'c' },
        typed_per_filter_config: {
          fault: any('envoy.extensions.filters.http.fault.v3.HTTPFault', { abort: { http_status: 99 } }),
        },
      },
      {},
      /fault\.abort: an http_status from 200 to 599/,
    ],
    [
      'a mirror to nobody',
      { match, route: { cluster: 'c', request_mirror_policies: [{}] } },
      {},
      /request_mirror_policies\[0\]: exactly one of/,
    ],
    [
      'too many mirrors',
      { match, route: { cluster: 'c', request_mirror_policies: Array.from({ length: 17 }, () => ({ cluster: 'm' })) } },
      {},
      /there are 17, more than 16/,
    ],
    ['the older CORS field', { match, route: { cluster: 'c', cors: {} } }, {}, /cors: not supported/],
  ] as const) {
    it(name, () => assert.match(refusal(route, hostFields), reason));
  }

  it('but not a route as it should be', () => {
    assert.equal(refusal({ match, route: { cluster: 'c' } }), '');
  });
});
