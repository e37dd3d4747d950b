import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { after, test } from 'node:test';
import { eventually } from '@weft/testkit';
import { fetchText, freePorts, Home, processesWith } from './harness.ts';

const home = new Home();

after(() => home.close());

test('the demo comes up with real traffic, refuses a second one, and leaves nothing at Ctrl-C', async () => {
  const demo = home.start(['demo', ...freePorts, '--shop-port', '0']);
  await demo.saw(/Try next/);
  const shopPort = Number(/shop +http:\/\/127\.0\.0\.1:(\d+)/.exec(demo.text())?.[1]);
  assert.match(demo.text(), /first page of the shop through the mesh after \d+\.\d s/);
  const page = await fetchText(`http://127.0.0.1:${shopPort}/books/nine-locks`);
  assert.equal(page.status, 200);
  assert.match(page.text, /reviews v[123]/);
  await eventually(
    async () => {
      const { services } = JSON.parse((await home.weft('status', '-o', 'json')).out) as {
        services: { name: string; mtls: { mode: string }; traffic: { requestsPerSecond: number } }[];
      };
      const reviews = services.find((service) => service.name === 'reviews');
      return services.length === 8 && reviews?.mtls.mode === 'strict' && reviews.traffic.requestsPerSecond > 0;
    },
    { what: 'traffic in the status', timeoutMs: 30_000, intervalMs: 500 },
  );
  const second = await home.weft('demo', '--shop-port', '0');
  assert.notEqual(second.code, 0);
  assert.match(second.err, /runs here already/);
  demo.child.kill('SIGINT');
  const ended = await demo.ended;
  assert.equal(ended.code, 0, ended.err);
  assert.match(ended.err, /everything is stopped/);
  assert.deepEqual(await processesWith(home.folder), []);
});

test('a shop port that is taken is told with the flag that mends it', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const demo = await home.weft('demo', ...freePorts, '--shop-port', String(port));
  server.close();
  assert.equal(demo.code, 1);
  assert.match(demo.err, /PORT_IN_USE/);
  assert.match(demo.err, /--shop-port 8090/);
});
