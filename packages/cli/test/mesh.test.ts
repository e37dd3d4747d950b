import assert from 'node:assert/strict';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { eventually, peerSkip } from '@weft/testkit';
import { assertOk, fetchText, freePorts, Home, processesWith } from './harness.ts';

/** The real CLI, control plane and proxies, as a user has them; every test uses the same mesh. */
const home = new Home();
const server = `require('http').createServer((q, r) => r.end(process.env.SAYS + ' ' + q.url)).listen(process.env.PORT, '127.0.0.1')`;

async function serve(says: string, ...flags: string[]) {
  const running = home.start(['run', ...flags, '--', 'env', `SAYS=${says}`, process.execPath, '-e', server]);
  const [, httpProxy = '', admin = ''] = await running.saw(/joined: sidecar \w+, http_proxy (\d+), admin (\d+)/);
  return { running, httpProxy: Number(httpProxy), admin: Number(admin) };
}

before(async () => {
  const first = assertOk(await home.weft('up', ...freePorts, '-o', 'json'));
  const places = JSON.parse(first.out) as { kubeconfig: string; processId: number; pageLogin?: string };
  assert.equal(statSync(places.kubeconfig).mode & 0o777, 0o600);
  assert.equal(places.pageLogin, undefined, 'a login link is not for programs');
});

after(() => home.close());

test('a second up uses the mesh that runs', async () => {
  const again = assertOk(await home.weft('up'));
  assert.match(again.err, /runs already/);
  assert.match(again.out, /first page +http:\/\/127\.0\.0\.1:\d+\/login\?token=/);
});

test('a mesh that runs keeps its defaults, says whose they are, and how to get others', async () => {
  assert.match(assertOk(await home.weft('up', '--defaults', 'istio')).err, /runs already/);
  const other = await home.weft('up', '--defaults', 'envoy');
  assert.equal(other.code, 1);
  assert.match(other.err, /has the defaults of istio, not of envoy/);
  assert.match(other.err, /weft down, then weft up --defaults envoy/);
  assert.match(assertOk(await home.weft('status')).out, /^mesh defaults: istio$/m);
  const unknown = await home.weft('up', '--defaults', 'kuma');
  assert.equal(unknown.code, 2);
  assert.match(unknown.err, /istio, envoy/);
});

test('run ends with the code of the command and leaves nothing behind', async () => {
  const ended = await home.weft('run', '--name', 'once', '-q', '--', 'sh', '-c', 'echo $http_proxy; exit 7');
  assert.equal(ended.code, 7, ended.err);
  assert.match(ended.out, /^http:\/\/127\.0\.0\.1:\d+$/m);
  assert.equal(ended.err, '');
  assert.equal((await home.weft('get', 'proxy', 'once')).code, 1);
  await goes('once');
  assert.deepEqual(await processesWith(join(home.folder, 'state/run/default.once')), []);
});

/** Until the account is collected with the last Proxy that used it. */
async function goes(account: string): Promise<void> {
  await eventually(async () => (await home.weft('get', 'serviceaccount', account)).code === 1, {
    what: `the account ${account} goes`,
    timeoutMs: 10_000,
  });
}

test('an account made by run lives until the last workload that uses it; one made by others stays', async () => {
  const sleeper = (name: string) => {
    const command = ['--', 'sh', '-c', 'echo up; exec sleep 60'];
    return home.start(['run', '--name', name, '--service-account', 'shared', ...command]);
  };
  const [first, second] = [sleeper('first'), sleeper('second')];
  await Promise.all([first.saw(/^up$/m), second.saw(/^up$/m)]);
  first.child.kill('SIGTERM');
  await first.ended;
  const left = assertOk(await home.weft('get', 'serviceaccount', 'shared', '-o', 'json'));
  const { metadata } = JSON.parse(left.out) as { metadata: { ownerReferences: { name: string }[] } };
  assert.ok(metadata.ownerReferences.some(({ name }) => name === 'second'));
  second.child.kill('SIGTERM');
  await second.ended;
  await goes('shared');

  const account = 'apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: mine}\n';
  assertOk(await home.weftInput(account, 'apply', '-f', '-'));
  await home.weft('run', '--name', 'third', '--service-account', 'mine', '-q', '--', 'true');
  const mine = assertOk(await home.weft('get', 'serviceaccount', 'mine', '-o', 'json'));
  assert.doesNotMatch(mine.out, /ownerReferences|managed-by/);
});

test('signals reach the command: those that end it after the mesh was left, others at once', async () => {
  const script = "trap 'echo reloaded' HUP; trap 'echo ended; exit 3' INT; echo up; while :; do sleep 0.05; done";
  const running = home.start(['run', '--name', 'signalled', '--', 'sh', '-c', script]);
  await running.saw(/^up$/m);
  running.child.kill('SIGHUP');
  await running.saw(/reloaded/);
  running.child.kill('SIGINT');
  const ended = await running.ended;
  assert.equal(ended.code, 3);
  assert.match(ended.out, /ended/);
  const plain = home.start(['run', '--name', 'plain', '--', 'sh', '-c', 'echo up; exec sleep 60']);
  await plain.saw(/^up$/m);
  plain.child.kill('SIGTERM');
  assert.equal((await plain.ended).code, 128 + 15);
});

test('a workload without a program, or with flags that do not fit, is refused before anything is registered', async () => {
  const missing = await home.weft('run', '--service', 'x', '--', 'no-such-program');
  assert.equal(missing.code, 2);
  assert.match(missing.err, /no program "no-such-program"/);
  assert.equal((await home.weft('run', '--', 'true')).code, 2);
  assert.equal((await home.weft('run', '--service', 'UPPER', '--', 'true')).code, 2);
  assert.equal((await home.weft('run', '--service', 'x', '--protocol', 'tcp', '--', 'true')).code, 2);
  assert.equal((await home.weft('get', 'service', 'x')).code, 1);
});

test('services reach each other by name; a proxy that is killed comes back; killing run leaves no orphans', async () => {
  const hello = await serve('hello', '--service', 'hello', '--name', 'hello-1');
  const client = home.start([
    'run',
    '--name',
    'client',
    '--upstream',
    'hello',
    '--',
    'sh',
    '-c',
    'echo at $WEFT_UPSTREAM_HELLO; sleep 120',
  ]);
  const [, proxyPort] = await client.saw(/http_proxy (\d+)/);
  const [, upstream] = await client.saw(/at (127\.0\.0\.1:\d+)/);
  const byName = (): Promise<string> => fetchText('http://hello/a', Number(proxyPort)).then((answer) => answer.text);
  await eventually(async () => (await byName()) === 'hello /a', { what: 'an answer by name' });
  assert.equal((await fetchText(`http://${upstream}/b`)).text, 'hello /b');

  const folder = join(home.folder, 'state/run/default.hello-1');
  const [sidecar] = await processesWith(`--bootstrap ${folder}`);
  assert.ok(sidecar !== undefined);
  process.kill(sidecar, 'SIGKILL');
  await hello.running.saw(/the weft sidecar ended \(SIGKILL\); it is started again/);
  await eventually(async () => (await byName()) === 'hello /a', {
    what: 'an answer through the new sidecar',
    timeoutMs: 20_000,
  });

  hello.running.child.kill('SIGKILL');
  await eventually(
    async () => (await processesWith(folder)).length === 0 && (await processesWith('SAYS=hello')).length === 0,
    { what: 'no orphans' },
  );
  client.child.kill('SIGINT');
  await client.ended;
});

test('Envoy is a sidecar like ours, in both directions', { skip: peerSkip('envoy') }, async () => {
  const [envoy, ours] = await Promise.all([
    serve('envoy', '--service', 'by-envoy', '--engine', 'envoy'),
    serve('ours', '--service', 'by-weft'),
  ]);
  const ask = (url: string, proxy: number) => async () => (await fetchText(url, proxy)).text;
  await eventually(async () => (await ask('http://by-envoy/x', ours.httpProxy)()) === 'envoy /x', {
    what: 'ours to Envoy',
  });
  await eventually(async () => (await ask('http://by-weft/y', envoy.httpProxy)()) === 'ours /y', {
    what: 'Envoy to ours',
  });
  const dump = assertOk(await home.weft('config', 'dump', 'by-envoy', '--type', 'secrets', '-o', 'json'));
  assert.doesNotMatch(dump.out, /PRIVATE KEY/);
  const status = JSON.parse(assertOk(await home.weft('status', '-o', 'json')).out) as {
    proxies: { name: string; engine: string; identity: string; state: string; connected: boolean }[];
  };
  const found = status.proxies.find((proxy) => proxy.name.startsWith('by-envoy'));
  assert.deepEqual(
    [found?.engine, found?.identity, found?.connected],
    ['envoy', 'spiffe://cluster.local/ns/default/sa/by-envoy', true],
  );
  for (const { running } of [envoy, ours]) {
    running.child.kill('SIGTERM');
    assert.equal((await running.ended).code, 128 + 15);
  }
  assert.deepEqual(await processesWith(join(home.folder, 'state/run/default.by-envoy')), []);
});

test('objects are applied, shown, compared and deleted; mistakes come with their lines', async () => {
  const file = join(home.folder, 'routes.yaml');
  const route = (weight: number): string =>
    `apiVersion: v1\nkind: Service\nmetadata: {name: shop}\nspec: {selector: {app: shop}, ports: [{name: http, port: 80}]}\n---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: shop}\nspec:\n  hosts: [shop]\n  http:\n    - timeout: ${weight}s\n      route: [{destination: {host: shop}}]\n`;
  writeFileSync(file, route(1));
  assert.match(
    assertOk(await home.weft('apply', '-f', file)).out,
    /service\/shop created\nvirtualservice\/shop created/,
  );
  assert.match(assertOk(await home.weft('apply', '-f', file)).out, /virtualservice\/shop unchanged/);
  const dry = assertOk(await home.weftInput(route(3), 'apply', '--dry-run', '-f', '-'));
  assert.match(dry.out, /service\/shop unchanged \(dry run\)\nvirtualservice\/shop configured \(dry run\)/);
  assert.equal((await home.weft('diff', '-f', file)).code, 0);
  const changed = await home.weftInput(route(2), 'diff', '-f', '-');
  assert.equal(changed.code, 1);
  assert.match(changed.out, /-\s+- timeout: 1s\n\+\s+- timeout: 2s/);
  assert.match(assertOk(await home.weft('get', 'vs,svc', '-A')).out, /NAMESPACE +NAME/);
  assert.match(assertOk(await home.weft('get', 'vs', 'shop', '-o', 'yaml')).out, /timeout: 1s/);
  const bad = await home.weftInput(route(1).replace('timeout', 'timeuot'), 'apply', '-f', '-');
  assert.equal(bad.code, 2);
  assert.match(bad.err, /<stdin>:12:7 {2}spec\.http\[0\]\.timeuot {2}UnknownField/);
  assert.match(
    assertOk(await home.weft('delete', '-f', file)).out,
    /virtualservice\/shop deleted\nservice\/shop deleted/,
  );
  assert.equal((await home.weft('delete', 'vs', 'shop')).code, 1);
  assert.equal((await home.weft('delete', 'vs', 'shop', '--ignore-not-found')).code, 0);
});

test('check finds what is wrong and says how to mend it', async () => {
  const fine = await home.weft('check', '-o', 'json');
  const list = JSON.parse(fine.out) as { ok: boolean; checks: { id: string; outcome: string; fix?: string }[] };
  assert.ok(list.checks.length > 8);
  writeFileSync(join(home.folder, 'state/open'), '', { mode: 0o644 });
  const open = await home.weft('check');
  assert.equal(open.code, 1);
  assert.match(open.out, /others may read .*state\/open\n {4}fix: chmod -R go-rwx/);
});

test('down stops the control plane, and a second time there is nothing to do', async () => {
  const down = assertOk(await home.weft('down'));
  assert.match(down.err, /control plane stopped/);
  assert.match(assertOk(await home.weft('down')).err, /nothing runs here/);
  const status = await home.weft('status');
  assert.equal(status.code, 3);
});
