import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_BOOTSTRAP_LENGTH, parseBootstrap } from '../src/bootstrap/parse-bootstrap.ts';

const good = {
  node: { id: 'shop/web-1', cluster: 'web.shop', metadata: { NAME: 'web-1' }, locality: { region: 'eu' } },
  identity: {
    trustDomain: 'cluster.local',
    namespace: 'shop',
    serviceAccount: 'web',
    caAddress: '127.0.0.1:7011',
    renewAddress: '[::1]:7012',
    trustBundleFile: '/x/bundle.pem',
    tokenFile: '/x/token',
  },
  xds: { address: 'localhost:7012' },
  admin: { address: '127.0.0.1', port: 15000 },
  stateDir: '/x',
};

function violations(change: object): string[] {
  const result = parseBootstrap(JSON.stringify({ ...good, ...change }));
  assert.ok('violations' in result);
  for (const { fix } of result.violations) {
    assert.ok(fix.length > 5);
  }
  return result.violations.map(({ path, message }) => `${path}: ${message}`);
}

test('a bootstrap as `weft run` writes it is read, with defaults', () => {
  const result = parseBootstrap(JSON.stringify(good));
  assert.ok('ok' in result);
  assert.deepEqual(result.ok.identity?.renewAddress, { host: '::1', port: 7012 });
  assert.deepEqual(result.ok.node.locality, { region: 'eu', zone: '', subZone: '' });
  assert.equal(result.ok.drainTimeoutMs, 30_000);
  assert.equal(result.ok.logLevel, 'info');
});

test('every mistake is found, with its place and a fix', () => {
  assert.deepEqual(violations({ admin: { address: '0.0.0.0', port: 70_000 } }), [
    'admin.port: is 70000',
    'admin.address: is "0.0.0.0"',
  ]);
  assert.deepEqual(violations({ stateDir: 'x', nodes: {} }), ['stateDir: is "x"', 'nodes: is not known']);
  assert.deepEqual(violations({ xds: { address: 'localhost' } }), ['xds.address: is "localhost"']);
  assert.deepEqual(violations({ identity: undefined }), ['identity: is required with xds']);
  assert.deepEqual(violations({ xds: undefined }), [': neither xds nor static is set']);
  assert.deepEqual(violations({ static: {} }), ['static: is set beside xds']);
  assert.deepEqual(violations({ node: { id: '' } }), ['node.id: is not a text']);
  assert.match(violations({ identity: { ...good.identity, namespace: 'a/b' } }).join(), /^identity: .*slash/);
  assert.match(violations({ logLevel: 'loud' }).join(), /^logLevel: is "loud"/);
});

test('what is not a JSON object is refused with the reason', () => {
  for (const text of ['', '{', '[]', 'null', '"x"']) {
    assert.ok('violations' in parseBootstrap(text), text);
  }
  const result = parseBootstrap(' '.repeat(MAX_BOOTSTRAP_LENGTH + 1));
  assert.ok('violations' in result);
  assert.match(result.violations[0]?.message ?? '', /characters/);
});

test('overload: defaults without the section, own limits and triggers, every mistake with its place', () => {
  const base = { node: { id: 'a/b' }, stateDir: '/x', static: {} };
  const parse = (overload: unknown) => parseBootstrap(JSON.stringify({ ...base, overload }));
  const silent = parseBootstrap(JSON.stringify(base));
  assert.ok('ok' in silent && silent.ok.overload.enabled && silent.ok.overload.triggers.size === 6);
  const own = parse({
    limits: { memoryBytes: 1000 },
    actions: [
      {
        name: 'envoy.overload_actions.stop_accepting_requests',
        triggers: [{ resource: 'memory', threshold: 0.5 }],
      },
    ],
  });
  assert.ok('ok' in own);
  assert.deepEqual(own.ok.overload.limits, { memoryBytes: 1000 });
  assert.deepEqual(
    [...own.ok.overload.triggers],
    [['envoy.overload_actions.stop_accepting_requests', [{ resource: 'memory', threshold: 0.5, saturation: 0.5 }]]],
  );
  const wrong = parse({
    enabled: 'yes',
    limits: { memory: 1 },
    actions: [
      { name: 'envoy.overload_actions.reject_incoming_connections', triggers: [{ resource: 'heap', threshold: 2 }] },
      {
        name: 'envoy.overload_actions.disable_http_keepalive',
        triggers: [{ resource: 'memory', threshold: 0.5, saturation: 0.6 }],
      },
      { name: 'envoy.overload_actions.reduce_timeouts' },
    ],
  });
  assert.ok('violations' in wrong);
  assert.deepEqual(
    wrong.violations.map(({ path }) => path),
    [
      'overload.enabled',
      'overload.limits.memory',
      'overload.actions[0].name',
      'overload.actions[0].triggers[0].resource',
      'overload.actions[0].triggers[0].threshold',
      'overload.actions[0].triggers',
      'overload.actions[1].triggers[0].saturation',
      'overload.actions[2].triggers',
    ],
  );
});
