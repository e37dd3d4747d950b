import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { systemClock } from '@weft/base';
import { eventually, freePort, peerSkip } from '@weft/testkit';
import type { LoadReport } from '@weft/xds-server';
import { typeUrls } from '@weft/xds-types';
import { Envoy } from './support/envoy.ts';
import { edsCluster, endpointsAt, listener, onDemandRoutes, route, virtualHost } from './support/resources.ts';
import { ServerFixture } from './support/server-fixture.ts';

/** An upstream that says its name. */
async function upstream(name: string): Promise<{ port: number } & AsyncDisposable> {
  const server = createServer((_request, response) => response.end(name));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: portOf(server), [Symbol.asyncDispose]: () => stop(server) };
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

function stop(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}

describe('stock Envoy on our ADS', { skip: peerSkip('envoy') }, () => {
  for (const apiType of ['DELTA_GRPC', 'GRPC'] as const) {
    it(`${apiType}: follows endpoints and routes without a failed request, refuses what is bad, reports load`, async () => {
      const reports: LoadReport[] = [];
      await using one = await upstream('one');
      await using two = await upstream('two');
      await using server = await ServerFixture.start({
        clock: systemClock,
        loadReportIntervalMs: 200,
        onLoadReport: (_client, report) => reports.push(report),
      });
      const port = await freePort();
      const l = listener('l', 1, 'r', undefined, { port });
      server.set([edsCluster('x'), endpointsAt('x', one.port), l, route('r', 1, 'x')]);
      await using envoy = await Envoy.start({ xdsPort: Number(server.address.split(':')[1]), apiType });
      await envoy.ready();
      assert.deepEqual(await envoy.get(port, 'any'), { status: 200, body: 'one' });

      server.set([edsCluster('x'), endpointsAt('x', two.port), l, route('r', 1, 'x')]);
      await eventually(async () => (await envoy.get(port, 'any')).body === 'two', { what: 'the new endpoint is used' });

      // Clusters come and go under traffic: each change replaces the cluster that the route names.
      let changing = true;
      const traffic = (async () => {
        const failed: number[] = [];
        while (changing) {
          const { status } = await envoy.get(port, 'any');
          if (status !== 200) {
            failed.push(status);
          }
        }
        return failed;
      })();
      for (let change = 1; change <= 20; change += 1) {
        const name = `c${change}`;
        const { storeVersion } = server.set([
          edsCluster(name),
          endpointsAt(name, one.port),
          l,
          route('r', change, name),
        ]);
        await eventually(() => (server.xds.client('n')?.ackedStoreVersion ?? 0) >= storeVersion, {
          what: `change ${change} is acknowledged`,
          intervalMs: 2,
        });
      }
      changing = false;
      assert.deepEqual(await traffic, []);

      // A cluster that is changed while its endpoints are not has to warm again, which needs its endpoints once more.
      const changed = server.set([edsCluster('c20', 2), endpointsAt('c20', one.port), l, route('r', 20, 'c20')]);
      await eventually(() => server.xds.client('n')?.ackedStoreVersion === changed.storeVersion, {
        what: 'acknowledged',
      });
      await eventually(async () => (await envoy.stat('cluster_manager.warming_clusters')) === 0, { what: 'warm' });

      const bad = listener('bad', 1, 'r', undefined, { port }); // The port is taken by `l`.
      server.set([edsCluster('c20', 2), endpointsAt('c20', one.port), l, bad, route('r', 20, 'c20')]);
      await eventually(() => server.xds.client('n')?.types.get(typeUrls.listener)?.status === 'NACKED', {
        what: 'the listener is refused',
      });
      assert.deepEqual(
        server.xds
          .client('n')
          ?.types.get(typeUrls.listener)
          ?.refused.map(({ name }) => name),
        ['bad'],
      );
      assert.equal((await envoy.get(port, 'any')).status, 200);

      await eventually(
        () => reports.some(({ clusters }) => clusters.some(({ clusterName }) => /^c\d+$/.test(clusterName))),
        {
          what: 'a load report',
        },
      );
    });
  }

  it('asks for a virtual host on demand, and the first request is answered', async () => {
    await using one = await upstream('one');
    const port = await freePort();
    const base = [listener('l', 1, 'http-proxy', undefined, { port, onDemand: true }), onDemandRoutes('http-proxy')];
    const late = [edsCluster('late'), endpointsAt('late', one.port), virtualHost('http-proxy/late', 1, 'late')];
    const asked: string[] = [];
    await using server = await ServerFixture.start({
      clock: systemClock,
      async onSubscribe(_client, _typeUrl, names) {
        asked.push(...names);
        await new Promise((resolve) => setTimeout(resolve, 20));
        if (names.includes('http-proxy/late')) {
          server.set([...base, ...late]);
        }
      },
    });
    server.set(base);
    await using envoy = await Envoy.start({ xdsPort: Number(server.address.split(':')[1]), apiType: 'DELTA_GRPC' });
    await envoy.ready();
    assert.deepEqual(await envoy.get(port, 'late'), { status: 200, body: 'one' });
    assert.ok(asked.includes('http-proxy/late'));
    assert.deepEqual(await envoy.get(port, 'nowhere'), { status: 404, body: '' }, 'at once, and not refused');
    assert.equal(server.xds.client('n')?.types.get(typeUrls.virtualHost)?.lastNack, undefined);
  });
});
