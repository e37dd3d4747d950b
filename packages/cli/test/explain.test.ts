import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { EffectiveExplanation, RequestExplanation } from '@weft/admin-api';
import { eventually } from '@weft/testkit';
import { assertOk, fetchText, freePorts, Home, type Running } from './harness.ts';

/** What a real mesh says of itself: a service, its route, and a workload that calls it. */
const home = new Home();
const server = `require('http').createServer((q, r) => r.end('hello')).listen(process.env.PORT, '127.0.0.1')`;
const running: Running[] = [];
let httpProxy = 0;

const routes = (timeout: string): string => `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: hello}
spec:
  host: hello
  trafficPolicy: {connectionPool: {tcp: {connectTimeout: 3s}}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: hello}
spec:
  hosts: [hello]
  http:
    - name: old
      match: [{uri: {prefix: /old}, headers: {x-user: {exact: ann}}}]
      redirect: {uri: /new}
    - name: rest
      timeout: ${timeout}
      route: [{destination: {host: hello}}]
`;

before(async () => {
  assertOk(await home.weft('up', ...freePorts));
  writeFileSync(join(home.folder, 'routes.yaml'), routes('4s'));
  const service = home.start(['run', '--service', 'hello', '--name', 'hello-1', '--', process.execPath, '-e', server]);
  await service.saw(/hello-1 joined/);
  const client = home.start(['run', '--name', 'client', '--', 'sleep', '300']);
  const [, port] = await client.saw(/http_proxy (\d+)/);
  httpProxy = Number(port);
  running.push(service, client);
  assertOk(await home.weft('apply', '-f', 'routes.yaml'));
  await eventually(async () => (await fetchText('http://hello/', httpProxy)).text === 'hello', {
    what: 'an answer through the mesh',
    timeoutMs: 20_000,
  });
});

after(() => home.close());

test('explain request walks the request that the proxies then make', async () => {
  const asked = assertOk(await home.weft('explain', 'request', 'GET', 'http://hello/a', '--from', 'client'));
  assert.match(asked.out, /^GET http:\/\/hello\/a from default\/client$/m);
  assert.match(asked.out, /^listener +HTTP proxy at 127\.0\.0\.1:\d+ +Proxy default\/client spec\.httpProxy$/m);
  assert.match(asked.out, /^route +rest: every request +VirtualService default\/hello spec\.http\[1\]$/m);
  assert.match(
    asked.out,
    /passed over\n +old +the path is not \/old… +VirtualService default\/hello spec\.http\[0\]\.match\[0\]/,
  );
  assert.match(asked.out, /^ {2}timeout +4 s +VirtualService default\/hello spec\.http\[1\]\.timeout$/m);
  assert.match(
    asked.out,
    /^ {2}connect timeout +3 s +DestinationRule default\/hello spec\.trafficPolicy\.connectionPool\.tcp\.connectTimeout$/m,
  );
  assert.match(asked.out, /^ {2}connections, pending requests, requests +unlimited +mesh default \(istio\)$/m);
  assert.match(
    asked.out,
    /^endpoints +1 endpoint, 1 healthy\n +127\.0\.0\.1:\d+ +hello-1, healthy.*WorkloadEntry default\/hello-1$/m,
  );
  assert.match(asked.out, /^result +forwarded$/m);
  const json = assertOk(
    await home.weft('explain', 'request', 'GET', 'hello/old', '--from', 'client', '-H', 'X-User: ann', '-o', 'json'),
  );
  const { outcome, steps } = JSON.parse(json.out) as RequestExplanation;
  assert.equal(outcome, 'answered 301');
  assert.ok(steps.some(({ origin }) => origin === 'VirtualService default/hello spec.http[0].redirect'));
});

test('explain request: what cannot be asked', async () => {
  const nobody = await home.weft('explain', 'request', 'GET', 'http://hello/', '--from', 'nobody');
  assert.equal(nobody.code, 2);
  assert.match(nobody.err, /no workload default\/nobody[\s\S]*client/);
  const header = await home.weft('explain', 'request', 'GET', 'http://hello/', '--from', 'client', '-H', 'nonsense');
  assert.notEqual(header.code, 0);
  assert.match(header.err, /must be name: value/);
});

test('explain prints what is in force for a service, and where it comes from', async () => {
  const table = assertOk(await home.weft('explain', 'hello', '--from', 'client'));
  assert.match(table.out, /^Service default\/hello as default\/client has it$/m);
  assert.match(
    table.out,
    /connect timeout +3 s +DestinationRule default\/hello spec\.trafficPolicy\.connectionPool\.tcp\.connectTimeout/,
  );
  assert.match(table.out, /balancing +least requests of two +mesh default \(istio\)/);
  assert.match(table.out, / {4}timeout +4 s +VirtualService default\/hello spec\.http\[1\]\.timeout/);
  assert.match(table.out, /healthy, locality not known +WorkloadEntry default\/hello-1/);
  const json = assertOk(await home.weft('explain', 'service/hello', '-o', 'json'));
  const explanation = JSON.parse(json.out) as EffectiveExplanation;
  assert.equal(explanation.from, 'any workload of namespace default');
  assert.match(assertOk(await home.weft('explain', 'workload/hello-1')).out, /^Proxy default\/hello-1/);
});

test('explain: what is not there', async () => {
  const gone = await home.weft('explain', 'nobody');
  assert.equal(gone.code, 1);
  assert.match(gone.err, /neither a service nor a workload is called nobody in namespace default/);
  assert.equal((await home.weft('explain', 'hello', '--from', 'nobody')).code, 2);
});

test('diff shows the change in the objects, then in the proxies', async () => {
  assert.equal((await home.weft('diff', '-f', 'routes.yaml')).code, 0);
  const changed = await home.weftInput(routes('9s'), 'diff', '-f', '-');
  assert.equal(changed.code, 1, changed.err);
  assert.match(changed.out, /-\s+timeout: 4s\n\+\s+timeout: 9s/);
  assert.match(changed.out, /in the proxies: \d+ resources? of \d+ prox/);
  assert.match(changed.out, /VHDS http-proxy\/hello changed in default\/client/);
  const label = routes('4s').replaceAll('{name: hello}', '{name: hello, labels: {team: a}}');
  const only = await home.weftInput(label, 'diff', '-f', '-');
  assert.equal(only.code, 1);
  assert.match(only.out, /in the proxies: nothing changes/);
});

test('gateway: mistakes of the command line end with 2 and register nothing', async () => {
  for (const [args, message] of [
    [[], /missing required argument/],
    [['UPPER'], /NAME/],
    [['edge', '--port', '80'], /--port/],
    [['edge', '--port', '80=0x1'], /--port/],
    [['edge', '--port', '99999=8080'], /--port/],
    [['edge', '--address', 'example.com'], /--address/],
    [['edge', '--label', 'nonsense'], /--label/],
    [['edge', '--engine', 'nginx'], /engine/],
    [['edge', '--service-account', 'A B'], /--service-account/],
    [['edge', '--namespace', 'a/b'], /--namespace/],
    [['edge', '--nonsense'], /unknown option/],
  ] as const) {
    const result = await home.weft('gateway', ...args);
    assert.equal(result.code, 2, `gateway ${args.join(' ')}: ${result.err}`);
    assert.match(result.err, message);
  }
  assert.doesNotMatch(assertOk(await home.weft('get', 'proxies', '-o', 'name')).out, /edge/);
});
