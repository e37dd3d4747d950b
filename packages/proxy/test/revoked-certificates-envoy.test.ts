import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { peerSkip } from '@weft/testkit';
import type { JsonObject } from '../src/runtime-config/wire/schema.ts';
import { staticCluster } from './support/cluster-json.ts';
import { EnvoyTwins, type TwinOutcome } from './support/envoy-twin.ts';
import { OpensslAuthority } from './support/openssl-authority.ts';
import { refusalsOf } from './support/static-config.ts';

/** Servers whose certificates are revoked, seen by stock Envoy and by ours. */

describe('revoked certificates as in Envoy', { skip: peerSkip('envoy', 'openssl') }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'weft-crl-'));
  const servers: https.Server[] = [];
  let ca: OpensslAuthority;
  let twins: EnvoyTwins | undefined;

  const cluster = (name: string, port: number, crl: string | undefined): JsonObject =>
    staticCluster(`${name}-${crl ?? 'any'}`, port, {
      transport_socket: {
        name: 'tls',
        typed_config: {
          '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext',
          sni: name,
          common_tls_context: {
            validation_context: {
              trusted_ca: { filename: ca.certificate },
              ...(crl === undefined ? {} : { crl: { filename: ca.path(crl) } }),
            },
          },
        },
      },
    });

  before(async () => {
    ca = new OpensslAuthority(folder, 'ca');
    ca.issue('good');
    ca.issue('bad');
    ca.writeList('before.crl');
    ca.revoke('bad');
    ca.writeList('after.crl');
    ca.writeList('ended.crl', { from: '20200101000000Z', to: '20200102000000Z' });
    const clusters: JsonObject[] = [];
    for (const name of ['good', 'bad']) {
      const server = https.createServer(ca.pair(name), (_, response) => void response.end(name));
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

  it('a list that is missing, has ended or is no list is refused', () => {
    writeFileSync(ca.path('text.crl'), 'no list');
    for (const [file, problem] of [
      ['none.crl', /crl\.filename: the file cannot be read: ENOENT/],
      ['ended.crl', /crl: a list of revoked certificates has ended on 2020-01-02T00:00:00\.000Z/],
      ['text.crl', /crl: there is no readable list of revoked certificates in it/],
    ] as const) {
      assert.match(refusalsOf({ clusters: [cluster('good', 1, file)] }), problem);
    }
  });
});
