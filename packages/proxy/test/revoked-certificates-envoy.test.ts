import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { findPeer } from '@weft/testkit';
import { runtimeConfigFromStatic } from '../src/runtime-config/static-resources.ts';
import type { JsonObject } from '../src/runtime-config/wire/schema.ts';
import { EnvoyTwins, type TwinOutcome } from './support/envoy-twin.ts';

/** Servers whose certificates are revoked, seen by stock Envoy and by ours. */

const openssl = ((): boolean => {
  try {
    execFileSync('openssl', ['version']);
    return true;
  } catch {
    return false;
  }
})();
const skip = findPeer('envoy') === undefined ? 'SKIP: no Envoy' : openssl ? false : 'SKIP: no openssl';

const settings = `
[ca]
default_ca = test
[test]
dir = .
database = index.txt
serial = serial
new_certs_dir = .
default_md = sha256
default_days = 2
default_crl_days = 2
policy = any
copy_extensions = copy
[any]
commonName = supplied
`;

describe('revoked certificates as in Envoy', { skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'weft-crl-'));
  const servers: https.Server[] = [];
  let twins: EnvoyTwins | undefined;

  const run = (...args: readonly string[]): void => {
    execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  };
  const request = (name: string): readonly string[] => [
    ...['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${name}.key`],
    ...['-subj', `/CN=${name}`],
  ];
  const cluster = (name: string, port: number, crl: string | undefined): JsonObject => ({
    name: `${name}-${crl ?? 'any'}`,
    type: 'STATIC',
    connect_timeout: '1s',
    load_assignment: {
      cluster_name: name,
      endpoints: [
        {
          lb_endpoints: [{ endpoint: { address: { socket_address: { address: '127.0.0.1', port_value: port } } } }],
        },
      ],
    },
    transport_socket: {
      name: 'tls',
      typed_config: {
        '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext',
        sni: name,
        common_tls_context: {
          validation_context: {
            trusted_ca: { filename: join(folder, 'ca.pem') },
            ...(crl === undefined ? {} : { crl: { filename: join(folder, crl) } }),
          },
        },
      },
    },
  });

  before(async () => {
    writeFileSync(join(folder, 'settings'), settings);
    writeFileSync(join(folder, 'index.txt'), '');
    writeFileSync(join(folder, 'serial'), '01');
    run(...request('ca'), '-x509', '-days', '2', '-out', 'ca.pem');
    const signing = ['-config', 'settings', '-cert', 'ca.pem', '-keyfile', 'ca.key', '-batch'];
    for (const name of ['good', 'bad']) {
      run(...request(name), '-addext', `subjectAltName=DNS:${name}`, '-out', `${name}.csr`);
      run('ca', ...signing, '-in', `${name}.csr`, '-out', `${name}.pem`);
    }
    run('ca', ...signing, '-gencrl', '-out', 'before.crl');
    run('ca', ...signing, '-revoke', 'bad.pem');
    run('ca', ...signing, '-gencrl', '-out', 'after.crl');
    const clusters: JsonObject[] = [];
    for (const name of ['good', 'bad']) {
      const server = https.createServer(
        { cert: readFileSync(join(folder, `${name}.pem`)), key: readFileSync(join(folder, `${name}.key`)) },
        (_, response) => void response.end(name),
      );
      servers.push(server);
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as AddressInfo;
      clusters.push(...[undefined, 'before.crl', 'after.crl'].map((crl) => cluster(name, port, crl)));
    }
    const routes = clusters.map(({ name }) => ({ match: { path: `/${name}` }, route: { cluster: name ?? '' } }));
    twins = await EnvoyTwins.start(
      { route_config: { name: 'routes', virtual_hosts: [{ name: 'all', domains: ['*'], routes }] } },
      clusters,
    );
  });

  after(async () => {
    await twins?.close();
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
    rmSync(folder, { recursive: true, force: true });
  });

  for (const [path, status] of [
    ['/good-any', 200],
    ['/good-before.crl', 200],
    ['/good-after.crl', 200],
    ['/bad-any', 200],
    ['/bad-before.crl', 200],
    ['/bad-after.crl', 503],
  ] as const) {
    it(`${path}: ${status}`, async () => {
      assert.ok(twins !== undefined);
      // More than once: a session that is resumed must not let in what a handshake does not.
      for (let turn = 0; turn < 3; turn += 1) {
        const theirs: TwinOutcome = await twins.throughEnvoy({ path, host: 'any' });
        const ours: TwinOutcome = await twins.throughOurs({ path, host: 'any' });
        assert.deepEqual([theirs.status, ours.status, ours.flags], [status, status, theirs.flags]);
        if (status === 503) {
          assert.match(ours.details, /certificate_verify_failed:_CERT_REVOKED/);
          assert.match(theirs.details, /CERTIFICATE_VERIFY_FAILED/);
        }
      }
    });
  }

  it('a list that is missing or no list is refused', () => {
    writeFileSync(join(folder, 'text.crl'), 'no list');
    for (const [file, problem] of [
      ['none.crl', /crl\.filename: the file cannot be read: ENOENT/],
      ['text.crl', /crl: there is no readable list of revoked certificates in it/],
    ] as const) {
      const result = runtimeConfigFromStatic({
        listeners: [],
        clusters: [cluster('good', 1, file)],
        routes: [],
        endpoints: [],
        secrets: [],
      });
      assert.ok('problems' in result, file);
      assert.match(result.problems.join('\n'), problem);
    }
  });
});
