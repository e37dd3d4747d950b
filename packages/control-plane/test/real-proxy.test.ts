import assert from 'node:assert/strict';
import { createServer, request } from 'node:http';
import { type TestContext, test } from 'node:test';
import { gvk, type ProxyResource } from '@weft/resources';
import { eventually, freePort } from '@weft/testkit';
import {
  type Fixture,
  type FixtureOptions,
  type Manifest,
  openCa,
  service,
  startFixture,
  virtualService,
} from './fixture.ts';
import { type RealProxy, startRealProxy } from './real-proxy.ts';

interface Shop {
  readonly fixture: Fixture;
  readonly web: RealProxy;
  readonly reviews: RealProxy;
  /** Through the HTTP proxy address of `web`. */
  get(url: string): Promise<{ readonly status: number; readonly body: string }>;
}

function proxyObject(name: string, account: string, httpProxy: number, inbound: number, app: number): Manifest[] {
  const metadata = { name, namespace: 'shop' };
  return [
    {
      apiVersion: 'weft.dev/v1alpha1',
      kind: 'Proxy',
      metadata,
      spec: {
        serviceAccount: account,
        httpProxy: { address: '127.0.0.1', port: httpProxy },
        inbound: [
          {
            name: 'http',
            protocol: 'http',
            address: '127.0.0.1',
            port: inbound,
            appAddress: '127.0.0.1',
            appPort: app,
          },
        ],
        upstreams: [],
        draining: false,
      },
    },
    {
      apiVersion: 'networking.istio.io/v1',
      kind: 'WorkloadEntry',
      metadata,
      spec: { address: '127.0.0.1', ports: { http: inbound }, labels: { app: account }, serviceAccount: account },
    },
  ];
}

async function startShop(t: TestContext, options: FixtureOptions = {}): Promise<Shop> {
  const [webProxy, webIn, webApp] = [await freePort(), await freePort(), await freePort()];
  const [reviewsProxy, reviewsIn] = [await freePort(), await freePort()];
  const app = createServer((incoming, response) => {
    response.end(`reviews ${incoming.url} ${incoming.headers['x-forwarded-client-cert'] ?? ''}`);
  });
  const appPort = await new Promise<number>((resolve) => {
    app.listen(0, '127.0.0.1', () => {
      const address = app.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
  t.after(() => {
    app.close();
    app.closeAllConnections();
  });
  const fixture = await startFixture(t, {
    ...options,
    objects: [
      service('web'),
      service('reviews', 9080),
      ...proxyObject('web-1', 'web', webProxy, webIn, webApp),
      ...proxyObject('reviews-1', 'reviews', reviewsProxy, reviewsIn, appPort),
    ],
  });
  const start = async (name: string, account: string): Promise<RealProxy> =>
    startRealProxy(t, {
      namespace: 'shop',
      name,
      serviceAccount: account,
      joinAddress: fixture.joinAddress,
      xdsAddress: fixture.xdsAddress,
      trustBundle: fixture.ca.trustBundle.value.pem,
      token: (await fixture.tokens.create('shop', account)).token.reveal(),
    });
  const [web, reviews] = await Promise.all([start('web-1', 'web'), start('reviews-1', 'reviews')]);
  return {
    fixture,
    web,
    reviews,
    get: (url) =>
      new Promise((resolve, reject) => {
        const { host } = new URL(url);
        const outgoing = request({ host: '127.0.0.1', port: webProxy, path: url, headers: { host } }, (response) => {
          let body = '';
          response.setEncoding('utf8');
          response.on('data', (chunk: string) => {
            body += chunk;
          });
          response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
        });
        outgoing.on('error', reject);
        outgoing.end();
      }),
  };
}

test('two proxies join by token and carry a call under mutual TLS, to a host that nobody declared', async (t) => {
  const shop = await startShop(t);
  const answer = await shop.get('http://reviews:9080/x');
  assert.equal(answer.status, 200, `${answer.body}\n${shop.web.process.output()}\n${shop.reviews.process.output()}`);
  assert.match(answer.body, /^reviews \/x/);
  assert.equal((await shop.get('http://nobody/')).status, 404);
  const rates = await eventually(
    () => {
      const found = shop.fixture.mesh.history.service('reviews.shop.svc.cluster.local', 60_000);
      return found.issued > 0 ? found : undefined;
    },
    { what: 'the load report arrives', timeoutMs: 10_000 },
  );
  assert.equal(rates.successRate, 1);
});

test('a route applied to the API reaches the proxy and its status says so', async (t) => {
  const shop = await startShop(t);
  assert.equal((await shop.get('http://reviews:9080/x')).status, 200);
  await shop.fixture.api.put(virtualService({ directResponse: { status: 418, body: { string: 'teapot' } } }));
  const kind = { group: 'networking.istio.io', version: 'v1', kind: 'VirtualService' };
  await eventually(
    async () => {
      const { status } = await shop.fixture.api.client.get<
        Manifest & { status?: { conditions?: { type: string; status: string; message: string }[] } }
      >(kind, 'reviews', 'shop');
      return status?.conditions?.some(
        (condition) =>
          condition.type === 'Programmed' && condition.status === 'True' && /1 of 1/.test(condition.message),
      );
    },
    { what: 'the route is programmed' },
  );
  assert.deepEqual(await shop.get('http://reviews:9080/x'), { status: 418, body: 'teapot' });
});

/** One request after the other, until `done` says so; returns the answers that were not 200. */
async function keepCalling(
  shop: Shop,
  done: () => boolean,
): Promise<{ readonly calls: number; readonly failures: string[] }> {
  const failures: string[] = [];
  let calls = 0;
  while (!done()) {
    calls += 1;
    const answer = await shop
      .get('http://reviews:9080/x')
      .catch((error: Error) => ({ status: 0, body: error.message }));
    if (answer.status !== 200) {
      failures.push(`${answer.status} ${answer.body}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return { calls, failures };
}

test('certificates, and the intermediate above them, rotate under traffic without an error', async (t) => {
  const ca = await openCa(t, 6_000);
  const shop = await startShop(t, { ca });
  const issuedAtStart = ca.issuedCount.svid;
  const deadline = Date.now() + 40_000;
  // Two proxies, at least two renewals each, and at least one intermediate.
  const rotated = (): boolean => ca.issuedCount.svid >= issuedAtStart + 4 && ca.issuedCount.issuing >= 1;
  const { calls, failures } = await keepCalling(shop, () => rotated() || Date.now() > deadline);
  assert.ok(rotated(), `${ca.issuedCount.svid - issuedAtStart} renewals, ${ca.issuedCount.issuing} intermediates`);
  assert.deepEqual(failures, []);
  assert.ok(calls > 100);
});

test('while the control plane is away traffic goes on, and when it is back the proxies come back', async (t) => {
  const ca = await openCa(t);
  const shop = await startShop(t, { ca });
  assert.equal((await shop.get('http://reviews:9080/x')).status, 200);
  await eventually(
    async () => {
      const proxy = await shop.fixture.api.client.get<ProxyResource>(gvk.proxy, 'web-1', 'shop');
      return proxy.status?.observedUpstreams?.length;
    },
    { what: 'the host is written down' },
  );
  let finished = false;
  const traffic = keepCalling(shop, () => finished);
  const { api, ports } = shop.fixture;
  await shop.fixture.stop();
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const second = await startFixture(t, { api, ca, ports });
  await eventually(
    () => ['shop/web-1', 'shop/reviews-1'].every((key) => second.mesh.xds.client(key)?.ackedStoreVersion !== undefined),
    { what: 'the proxies are back in sync', timeoutMs: 20_000 },
  );
  finished = true;
  const { calls, failures } = await traffic;
  assert.deepEqual(failures, []);
  assert.ok(calls > 50);
});
