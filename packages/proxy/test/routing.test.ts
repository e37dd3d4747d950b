import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { RedirectAction, Route, VirtualHost } from '../src/runtime-config/config.ts';
import {
  chain,
  cluster,
  endpoint,
  forwardTo,
  httpManager,
  listener,
  noEdits,
  prefixMatch,
  route,
  routeTable,
  runtimeConfig,
  virtualHost,
} from './support/configs.ts';
import { ProxyHarness } from './support/proxy-harness.ts';
import { answering, type OriginConnection, okResponse, RawClient, RawOrigin } from './support/raw-peer.ts';
import { getOnce, SimpleProxy } from './support/simple-proxy.ts';

async function withHosts(t: TestContext, hosts: readonly VirtualHost[]): Promise<SimpleProxy> {
  return SimpleProxy.start(t, { onData: answering(okResponse), table: routeTable('routes', hosts) });
}

function named(name: string, domains: readonly string[]): VirtualHost {
  return virtualHost([route(forwardTo('origin'), { name })], { name, domains });
}

test('virtual hosts are found by exact name, longest suffix, longest prefix, then any', async (t) => {
  const proxy = await withHosts(t, [
    named('any', ['*']),
    named('suffix', ['*.shop.example']),
    named('longer-suffix', ['*.eu.shop.example']),
    named('prefix', ['shop.*']),
    named('exact', ['books.shop.example', 'books:8080']),
  ]);
  const expected: readonly (readonly [string, string])[] = [
    ['books.shop.example', 'exact'],
    ['BOOKS.shop.EXAMPLE', 'exact'],
    ['books:8080', 'exact'],
    ['books', 'any'],
    ['a.shop.example', 'suffix'],
    ['a.eu.shop.example', 'longer-suffix'],
    ['shop.org', 'prefix'],
    ['elsewhere', 'any'],
  ];
  for (const [host, name] of expected) {
    await proxy.exchange(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    assert.equal(proxy.harness.requests.at(-1)?.routeName, name, host);
  }
});

test('no virtual host and no route give 404 NR', async (t) => {
  const proxy = await withHosts(t, [
    virtualHost([route(forwardTo('origin'), { match: prefixMatch('/api') })], { domains: ['known'] }),
  ]);
  assert.match(await proxy.exchange(getOnce()), /^HTTP\/1\.1 404 Not Found\r\ncontent-length: 0\r\n/);
  const seen = await proxy.harness.ended();
  assert.equal(seen.flags, 'NR');
  assert.equal(seen.details, 'route_not_found');
  assert.match(await proxy.exchange('GET / HTTP/1.1\r\nHost: known\r\nConnection: close\r\n\r\n'), /^HTTP\/1\.1 404/);
});

test('a cluster that does not exist gives 503 NC, one without endpoints 503 UH', async (t) => {
  const proxy = await withHosts(t, [virtualHost([route(forwardTo('nobody'))])]);
  assert.match(await proxy.exchange(getOnce()), /^HTTP\/1\.1 503/);
  const seen = await proxy.harness.ended();
  assert.equal(seen.flags, 'NC');
  assert.equal(seen.details, 'cluster_not_found');
  const harness = new ProxyHarness();
  t.after(() => harness.close());
  await harness.apply(
    runtimeConfig({
      listeners: [listener([chain(httpManager())])],
      routes: [routeTable('routes', [virtualHost([route(forwardTo('empty'))])])],
      clusters: [cluster('empty', [])],
    }),
  );
  const client = await RawClient.connect(harness.port());
  client.send(getOnce());
  await client.untilEnd();
  assert.match(client.text, /^HTTP\/1\.1 503 [\s\S]*no healthy upstream$/);
  assert.equal((await harness.ended()).flags, 'UH');
});

test('routes match by path, header, query and method, the first one wins', async (t) => {
  const header = (name: string, value: string) => ({
    name,
    invert: false,
    treatMissingAsEmpty: false,
    match: { kind: 'exact', value, ignoreCase: false } as const,
  });
  const routes: Route[] = [
    route(forwardTo('origin'), {
      name: 'exact',
      match: { ...prefixMatch('/'), path: { kind: 'exact', value: '/exact' } },
    }),
    route(forwardTo('origin'), {
      name: 'separated',
      match: { ...prefixMatch('/'), path: { kind: 'path-separated-prefix', value: '/api' } },
    }),
    route(forwardTo('origin'), { name: 'insensitive', match: prefixMatch('/CaSe', { caseSensitive: false }) }),
    route(forwardTo('origin'), { name: 'user', match: prefixMatch('/', { headers: [header('end-user', 'jason')] }) }),
    route(forwardTo('origin'), { name: 'post', match: prefixMatch('/', { headers: [header(':method', 'POST')] }) }),
    route(forwardTo('origin'), {
      name: 'query',
      match: prefixMatch('/', {
        queryParameters: [{ name: 'v', match: { kind: 'exact', value: '2', ignoreCase: false } }],
      }),
    }),
    route(forwardTo('origin'), { name: 'rest' }),
  ];
  const proxy = await withHosts(t, [virtualHost(routes)]);
  const expected: readonly (readonly [string, string])[] = [
    [getOnce('/exact'), 'exact'],
    [getOnce('/exact?x=1'), 'exact'],
    [getOnce('/exact/'), 'rest'],
    [getOnce('/api'), 'separated'],
    [getOnce('/api/v1'), 'separated'],
    [getOnce('/apis'), 'rest'],
    [getOnce('/case/x'), 'insensitive'],
    [getOnce('/', 'End-User: jason\r\n'), 'user'],
    ['POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n', 'post'],
    [getOnce('/?a=1&v=2'), 'query'],
    [getOnce('/?v=20'), 'rest'],
  ];
  for (const [bytes, name] of expected) {
    await proxy.exchange(bytes);
    assert.equal(proxy.harness.requests.at(-1)?.routeName, name, bytes);
  }
});

test('weights are kept over many requests', async (t) => {
  const answer = (connection: OriginConnection): void => {
    connection.received = Buffer.alloc(0);
    connection.socket.write(okResponse);
  };
  const one = await RawOrigin.start(answer);
  const two = await RawOrigin.start(answer);
  t.after(() => Promise.all([one.close(), two.close()]));
  let seed = 1;
  const random = (): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed / 2_147_483_648;
  };
  const harness = new ProxyHarness({ random });
  t.after(() => harness.close());
  await harness.apply(
    runtimeConfig({
      listeners: [listener([chain(httpManager())])],
      routes: [
        routeTable('routes', [
          virtualHost([
            route(
              forwardTo('', {
                clusters: [
                  { cluster: 'one', weight: 90, headers: noEdits },
                  { cluster: 'two', weight: 10, headers: noEdits },
                ],
              }),
            ),
          ]),
        ]),
      ],
      clusters: [cluster('one', [endpoint(one.port)]), cluster('two', [endpoint(two.port)])],
    }),
  );
  const client = await RawClient.connect(harness.port());
  t.after(() => client.close());
  const total = 10_000;
  const request = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
  for (let sent = 0; sent < total; sent += 100) {
    client.received = Buffer.alloc(0);
    client.send(request.repeat(100));
    await harness.ended(sent + 100);
  }
  const share = harness.requests.filter((seen) => seen.cluster === 'two').length / total;
  assert.ok(Math.abs(share - 0.1) < 0.01, `10 percent wanted, ${share * 100} got`);
});

test('rewrites of path and host', async (t) => {
  const proxy = await SimpleProxy.start(t, {
    onData: answering(okResponse),
    table: routeTable('routes', [
      virtualHost([
        route(
          forwardTo('origin', {
            prefixRewrite: '/v2/',
            hostRewrite: { kind: 'literal', value: 'inner.example' },
            appendXForwardedHost: true,
          }),
          { match: prefixMatch('/v1/') },
        ),
      ]),
    ]),
  });
  await proxy.exchange(getOnce('/v1/books?q=1'));
  const received = proxy.origin.received;
  assert.match(received, /^GET \/v2\/books\?q=1 HTTP\/1\.1\r\nHost: inner\.example\r\n/);
  assert.match(received, /x-envoy-original-path: \/v1\/books\?q=1\r\n/);
  assert.match(received, /x-forwarded-host: a\r\n/);
  const seen = await proxy.harness.ended();
  assert.equal(seen.path, '/v1/books?q=1');
  assert.equal(seen.authority, 'a');
});

const redirect = (overrides: Partial<RedirectAction>): RedirectAction => ({
  scheme: undefined,
  host: undefined,
  port: undefined,
  path: undefined,
  stripQuery: false,
  status: 301,
  ...overrides,
});

test('redirects', async (t) => {
  const rows: readonly (readonly [RedirectAction, string, string])[] = [
    [redirect({ host: 'new.example' }), '/a?q=1', '301 http://new.example/a?q=1'],
    [redirect({ scheme: 'https', status: 308 }), '/a', '308 https://a/a'],
    [redirect({ path: { kind: 'path', value: '/there' }, stripQuery: true }), '/a?q=1', '301 http://a/there'],
    [redirect({ path: { kind: 'prefix', value: '/new/' } }), '/old/x?q=1', '301 http://a/new/x?q=1'],
    [redirect({ port: 8443, status: 302 }), '/a', '302 http://a:8443/a'],
  ];
  for (const [action, path, expected] of rows) {
    const proxy = await SimpleProxy.start(t, {
      onData: answering(okResponse),
      table: routeTable('routes', [
        virtualHost([
          route(forwardTo('origin'), {
            match: prefixMatch(path.startsWith('/old/') ? '/old/' : '/'),
            action: { kind: 'redirect', redirect: action },
          }),
        ]),
      ]),
    });
    const answer = await proxy.exchange(getOnce(path));
    assert.equal(`${answer.slice(9, 12)} ${/location: (.*)\r\n/.exec(answer)?.[1]}`, expected);
    assert.equal((await proxy.harness.ended()).details, 'direct_response');
  }
});

test('a direct response, with and without a body', async (t) => {
  const proxy = await SimpleProxy.start(t, {
    onData: answering(okResponse),
    table: routeTable('routes', [
      virtualHost([
        route(forwardTo('origin'), {
          match: prefixMatch('/text'),
          action: { kind: 'direct-response', status: 200, body: Buffer.from('grüße') },
        }),
        route(forwardTo('origin'), { action: { kind: 'direct-response', status: 403, body: Buffer.alloc(0) } }),
      ]),
    ]),
  });
  const answer = await proxy.exchange(getOnce('/text'));
  assert.match(answer, /^HTTP\/1\.1 200 OK\r\ncontent-length: 7\r\ncontent-type: text\/plain\r\n/);
  assert.equal(Buffer.from(answer.slice(-7), 'latin1').toString('utf8'), 'grüße');
  assert.match(await proxy.exchange(getOnce('/')), /^HTTP\/1\.1 403 Forbidden\r\ncontent-length: 0\r\n/);
});

test('an unknown virtual host is asked for, once for all that wait', async (t) => {
  const origin = await RawOrigin.start(answering(okResponse));
  t.after(() => origin.close());
  const asked: string[] = [];
  const config = (hosts: readonly VirtualHost[]) =>
    runtimeConfig({
      listeners: [stays],
      routes: [routeTable('routes', hosts, { vhds: true })],
      clusters: [upstream],
    });
  const stays = listener([
    chain(
      httpManager({
        httpFilters: [
          { kind: 'on-demand', name: 'on-demand', disabled: false },
          { kind: 'router', name: 'router', disabled: false },
        ],
      }),
    ),
  ]);
  const upstream = cluster('origin', [endpoint(origin.port)]);
  const harness = new ProxyHarness({
    requestVirtualHost: async (table, authority) => {
      asked.push(`${table}/${authority}`);
      await new Promise((resolve) => setImmediate(resolve));
      if (authority === 'books.shop') {
        await harness.apply(config([named('found', ['books.shop'])]));
      }
      return authority === 'away' ? 'unavailable' : 'answered';
    },
  });
  t.after(() => harness.close());
  await harness.apply(config([]));
  const clients = await Promise.all([1, 2, 3].map(() => RawClient.connect(harness.port())));
  for (const client of clients) {
    client.send('POST / HTTP/1.1\r\nHost: Books.shop\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody');
  }
  for (const client of clients) {
    await client.untilEnd();
    assert.match(client.text, /^HTTP\/1\.1 200/);
  }
  assert.deepEqual(asked, ['routes/books.shop']);
  const unknown = await RawClient.connect(harness.port());
  unknown.send('GET / HTTP/1.1\r\nHost: nobody\r\nConnection: close\r\n\r\n');
  await unknown.untilEnd();
  assert.match(unknown.text, /^HTTP\/1\.1 404/);
  assert.equal(asked.length, 2);
  // Whether there is such a host is not known while nobody answers.
  const away = await RawClient.connect(harness.port());
  away.send('GET / HTTP/1.1\r\nHost: away\r\nConnection: close\r\n\r\n');
  await away.untilEnd();
  assert.match(away.text, /^HTTP\/1\.1 503/);
  const seen = await harness.ended(5);
  assert.equal(seen.details, 'virtual_host_unavailable');
  assert.equal(seen.flags, 'NR');
});
