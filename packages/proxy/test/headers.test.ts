import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RequestHead } from '@weft/http-codec';
import { applyForwardClientCert } from '../src/filter/http/forwarded-client-cert.ts';
import type { HeaderEdits } from '../src/runtime-config/config.ts';
import { forwardTo, noEdits, prefixMatch, route, routeTable, virtualHost } from './support/configs.ts';
import { answering, okResponse } from './support/raw-peer.ts';
import { getOnce, SimpleProxy } from './support/simple-proxy.ts';

test('x-forwarded-for grows by the peer when the remote address is used, and not otherwise', async (t) => {
  const edge = await SimpleProxy.start(t, { onData: answering(okResponse), manager: { useRemoteAddress: true } });
  await edge.exchange(getOnce('/', 'X-Forwarded-For: 10.0.0.1\r\nX-Forwarded-Proto: https\r\n'));
  assert.match(edge.origin.received, /x-forwarded-for: 10\.0\.0\.1,127\.0\.0\.1\r\n/);
  assert.match(edge.origin.received, /x-forwarded-proto: http\r\n/, 'what a client says of its scheme is not believed');
  const inner = await SimpleProxy.start(t, { onData: answering(okResponse) });
  await inner.exchange(getOnce('/', 'X-Forwarded-For: 10.0.0.1\r\nX-Forwarded-Proto: https\r\n'));
  assert.match(inner.origin.received, /X-Forwarded-For: 10\.0\.0\.1\r\n/);
  assert.match(inner.origin.received, /X-Forwarded-Proto: https\r\n/);
});

test('x-request-id is kept, or made where there is none; at the edge always made', async (t) => {
  const inner = await SimpleProxy.start(t, {
    onData: answering(okResponse),
    manager: { alwaysSetRequestIdInResponse: true },
  });
  const kept = await inner.exchange(getOnce('/', 'X-Request-Id: mine\r\n'));
  assert.match(kept, /x-request-id: mine\r\n/);
  await inner.exchange(getOnce());
  assert.match(
    (await inner.harness.ended(2)).requestId,
    /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  );
  const edge = await SimpleProxy.start(t, { onData: answering(okResponse), manager: { useRemoteAddress: true } });
  await edge.exchange(getOnce('/', 'X-Request-Id: forged\r\n'));
  assert.doesNotMatch(edge.origin.received, /forged/);
  assert.match(edge.origin.received, /x-request-id: [0-9a-f-]{36}\r\n/);
});

test('fields by which a client could steer the proxy are removed', async (t) => {
  const proxy = await SimpleProxy.start(t, { onData: answering(okResponse) });
  await proxy.exchange(
    getOnce(
      '/',
      'X-Envoy-Max-Retries: 100\r\nX-Envoy-Upstream-Rq-Timeout-Ms: 1\r\nx-envoy-internal: true\r\nX-Envoy-Else: kept\r\n',
    ),
  );
  assert.doesNotMatch(proxy.origin.received, /max-retries|upstream-rq-timeout|envoy-internal/i);
  assert.match(proxy.origin.received, /X-Envoy-Else: kept/);
});

test('a forged x-forwarded-client-cert does not pass a plaintext listener', async (t) => {
  for (const mode of ['sanitize', 'forward-only', 'append-forward', 'sanitize-set'] as const) {
    const proxy = await SimpleProxy.start(t, { onData: answering(okResponse), manager: { forwardClientCert: mode } });
    await proxy.exchange(getOnce('/', 'X-Forwarded-Client-Cert: URI=spiffe://evil\r\n'));
    assert.doesNotMatch(proxy.origin.received, /evil/, mode);
  }
});

test('names that CGI-like servers take for fields of the proxy do not pass', async (t) => {
  const proxy = await SimpleProxy.start(t, {
    onData: answering(okResponse),
    manager: { forwardClientCert: 'append-forward' },
  });
  const forged = [
    'X_Forwarded_Client_Cert',
    'x-forwarded_client-cert',
    'X_FORWARDED_FOR',
    'x_envoy_internal',
    'X_Request_Id',
  ];
  const kept = ['x_forward', 'x_requests', 'my_x_forwarded_for', 'x-forwarded-port', 'x_real_name'];
  await proxy.exchange(getOnce('/', [...forged, ...kept].map((name) => `${name}: value-of-${name}\r\n`).join('')));
  for (const name of forged) {
    assert.ok(!proxy.origin.received.includes(`value-of-${name}`), name);
  }
  for (const name of kept) {
    assert.ok(proxy.origin.received.includes(`value-of-${name}`), name);
  }
});

test('what a peer forwards of client certificates cannot hide the element that says who the peer is', () => {
  const appended = (received: string): string | undefined => {
    const head = new RequestHead();
    head.add('x-forwarded-client-cert', received);
    applyForwardClientCert(head, 'append-forward', 'URI=spiffe://a/caller');
    return head.get('x-forwarded-client-cert');
  };
  const own = 'URI=spiffe://a/caller';
  assert.equal(appended('Subject="O=\\"x\\"";URI=spiffe://a/b'), `Subject="O=\\"x\\"";URI=spiffe://a/b,${own}`);
  assert.equal(appended('URI=spiffe://a/admin;Subject="'), own);
  assert.equal(appended('URI=spiffe://a/admin;Subject="\\"'), own);
});

test('server, date, via and service time', async (t) => {
  const proxy = await SimpleProxy.start(t, {
    onData: answering('HTTP/1.1 200 OK\r\nServer: theirs\r\nContent-Length: 0\r\n\r\n'),
    manager: { via: '1.1 weft', serverName: 'istio-envoy' },
  });
  const answer = await proxy.exchange(getOnce());
  assert.match(answer, /server: istio-envoy\r\n/);
  assert.doesNotMatch(answer, /theirs/);
  assert.match(answer, /date: [A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT\r\n/);
  assert.match(answer, /via: 1\.1 weft\r\n/);
  assert.match(answer, /x-envoy-upstream-service-time: \d+\r\n/);
  assert.match(proxy.origin.received, /via: 1\.1 weft\r\n/);
  const other = await SimpleProxy.start(t, {
    onData: answering('HTTP/1.1 200 OK\r\nServer: theirs\r\nDate: then\r\nContent-Length: 0\r\n\r\n'),
    manager: { serverHeader: 'pass-through', suppressEnvoyHeaders: true },
  });
  const passed = await other.exchange(getOnce());
  assert.match(passed, /Server: theirs\r\nDate: then\r\n/);
  assert.doesNotMatch(passed, /x-envoy/);
});

function edits(overrides: Partial<HeaderEdits>): HeaderEdits {
  return { ...noEdits, ...overrides };
}

test('header edits of cluster, route, virtual host and table apply in that order, with commands', async (t) => {
  const add = (
    name: string,
    value: string,
    action: 'append' | 'add-if-absent' | 'overwrite' | 'overwrite-if-exists' = 'append',
  ) => ({
    name,
    value,
    action,
    keepEmptyValue: false,
  });
  const proxy = await SimpleProxy.start(t, {
    onData: answering('HTTP/1.1 200 OK\r\nX-Secret: 1\r\nX-Old: 1\r\nContent-Length: 0\r\n\r\n'),
    table: routeTable(
      'routes',
      [
        virtualHost(
          [
            route(
              forwardTo('origin', {
                clusters: [
                  { cluster: 'origin', weight: 1, headers: edits({ requestAdd: [add('X-Level', 'cluster')] }) },
                ],
              }),
              {
                name: 'books',
                headers: edits({
                  requestAdd: [
                    add('X-Level', 'route'),
                    add('X-Who', '%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% %REQ(:method)%'),
                    add('X-Agent', 'none', 'add-if-absent'),
                    add('X-Kept', 'other', 'overwrite-if-exists'),
                    add('X-None', 'no', 'overwrite-if-exists'),
                  ],
                  requestRemove: ['X-Drop'],
                  responseAdd: [add('X-Route', '%ROUTE_NAME%'), add('X-Old', 'new', 'overwrite')],
                  responseRemove: ['x-secret'],
                }),
              },
            ),
          ],
          { headers: edits({ requestAdd: [add('X-Level', 'host')] }) },
        ),
      ],
      { headers: edits({ requestAdd: [add('X-Level', 'table')] }) },
    ),
  });
  const answer = await proxy.exchange(getOnce('/', 'X-Drop: 1\r\nX-Agent: mine\r\nX-Kept: was\r\n'));
  const received = proxy.origin.received;
  assert.deepEqual(
    [...received.matchAll(/X-Level: (\w+)/g)].map((match) => match[1]),
    ['cluster', 'route', 'host', 'table'],
  );
  assert.match(received, /X-Who: 127\.0\.0\.1 GET\r\n/);
  assert.match(received, /X-Agent: mine\r\n/);
  assert.match(received, /X-Kept: other\r\n/);
  assert.doesNotMatch(received, /X-Drop|X-None/);
  assert.match(answer, /X-Route: books\r\n/);
  assert.match(answer, /X-Old: new\r\n/);
  assert.doesNotMatch(answer, /X-Secret/);
});

test('paths are normalised before routes see them', async (t) => {
  const proxy = await SimpleProxy.start(t, {
    onData: answering(okResponse),
    manager: { normalizePath: true, mergeSlashes: true, pathWithEscapedSlashes: 'unescape-and-redirect' },
    table: routeTable('routes', [virtualHost([route(forwardTo('origin'), { match: prefixMatch('/public/') })])]),
  });
  assert.match(await proxy.exchange(getOnce('/public/../private/x')), /^HTTP\/1\.1 404/);
  assert.match(await proxy.exchange(getOnce('/public/%2e%2e/private/x')), /^HTTP\/1\.1 404/);
  assert.match(await proxy.exchange(getOnce('//public//./a?q=../..')), /^HTTP\/1\.1 200/);
  assert.match(proxy.origin.received, /^GET \/public\/a\?q=\.\.\/\.\. HTTP/);
  assert.match(await proxy.exchange(getOnce('/public%2fa')), /^HTTP\/1\.1 307 [\s\S]*location: \/public\/a\r\n/);
  assert.match(await proxy.exchange(getOnce('/public/%00')), /^HTTP\/1\.1 400/);
});
