import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseAgentBootstrap } from '@weft/agent';
import { silentLogger } from '@weft/base';
import { CertificateAuthority } from '@weft/identity/authority';
import { findPeer, peerSkip } from '@weft/testkit';
import { envoyBootstrap } from './envoy-bootstrap.ts';

const exampleBootstrap = {
  node: { id: 'default/reviews-v1', cluster: 'reviews.default', metadata: { NAMESPACE: 'default' } },
  identity: {
    trustDomain: 'cluster.local',
    namespace: 'default',
    serviceAccount: 'reviews',
    caAddress: '127.0.0.1:7011',
    renewAddress: '127.0.0.1:7012',
    trustBundleFile: '/tmp/trust-bundle.pem',
    tokenFile: '/tmp/join-token',
  },
  xds: { address: '127.0.0.1:7012' },
  admin: { address: '127.0.0.1', port: 19000 },
  stateDir: '/tmp/state',
  localCluster: 'peers',
};

const envoy = findPeer('envoy');

test('Envoy itself accepts the bootstrap', { skip: peerSkip('envoy') }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'weft-envoy-'));
  try {
    const pem = join(folder, 'roots.pem');
    const ca = await CertificateAuthority.open({ folder: join(folder, 'ca'), logger: silentLogger });
    writeFileSync(pem, ca.trustBundle.value.pem);
    ca.close();
    const agent = parseAgentBootstrap(
      JSON.stringify({ ...exampleBootstrap, identity: { ...exampleBootstrap.identity, trustBundleFile: pem } }),
    );
    const file = join(folder, 'envoy.json');
    writeFileSync(file, JSON.stringify(envoyBootstrap(agent, { secretSocket: join(folder, 'sds.sock') })));
    const result = spawnSync(envoy ?? '', ['--mode', 'validate', '-c', file, '--log-level', 'warning'], {
      encoding: 'utf8',
    });
    assert.equal(result.status, 0, result.stderr);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('the control plane is checked by chain and by name, so that no workload can pose as it', () => {
  const text = JSON.stringify(
    envoyBootstrap(parseAgentBootstrap(JSON.stringify(exampleBootstrap)), { secretSocket: '/tmp/s' }),
  );
  assert.match(
    text,
    /"match_typed_subject_alt_names":\[\{"san_type":"IP_ADDRESS","matcher":\{"exact":"127\.0\.0\.1"\}\}\]/,
  );
  assert.match(text, /"api_type":"DELTA_GRPC"/);
  assert.doesNotMatch(text, /PRIVATE KEY/);
});

test('who its peers are is asked by EDS, if there is a name for them', () => {
  const of = (agent: object): unknown => {
    const { cluster_manager: manager, static_resources: resources } = envoyBootstrap(
      parseAgentBootstrap(JSON.stringify(agent)),
      { secretSocket: '/tmp/s' },
    );
    const { clusters } = resources as {
      readonly clusters: readonly { readonly name: string; readonly type: string }[];
    };
    const { local_cluster_name: local } = manager as { readonly local_cluster_name?: string };
    return [local, ...clusters.filter(({ type }) => type === 'EDS').map(({ name }) => name)];
  };
  assert.deepEqual(of(exampleBootstrap), ['peers', 'peers']);
  assert.deepEqual(of({ ...exampleBootstrap, localCluster: undefined }), [undefined]);
});

test('a bootstrap file with a mistake is refused with the name of the field', () => {
  const broken = [
    [{ ...exampleBootstrap, xds: { address: '127.0.0.1' } }, /xds\.address: must be host:port/],
    [{ ...exampleBootstrap, stateDir: 'relative' }, /stateDir: must be an absolute path/],
    [{ ...exampleBootstrap, concurrency: -1 }, /concurrency: must be a whole number/],
    [{ ...exampleBootstrap, admin: { address: '0.0.0.0', port: 1 } }, /admin\.address: must be 127\.0\.0\.1/],
    [{ ...exampleBootstrap, node: {} }, /node\.id: must be a text/],
    [{ ...exampleBootstrap, identity: undefined }, /identity: must be an object/],
  ] as const;
  for (const [value, message] of broken) {
    assert.throws(() => parseAgentBootstrap(JSON.stringify(value)), { code: 'BAD_CONFIGURATION', message });
  }
  assert.throws(() => parseAgentBootstrap('{'), { code: 'BAD_CONFIGURATION' });
  assert.throws(() => parseAgentBootstrap(' '.repeat(1024 * 1024 + 1)), { code: 'BAD_CONFIGURATION' });
});
