import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { silentLogger } from '@weft/base';
import { CertificateAuthority } from '@weft/identity/authority';
import { type ApiUser, createUser } from './support/api.ts';

const configMaps = '/api/v1/namespaces/default/configmaps';

interface Running {
  readonly child: ChildProcess;
  readonly user: ApiUser;
}

async function setUp(t: TestContext): Promise<() => Promise<Running>> {
  const folder = await mkdtemp(join(tmpdir(), 'weft-durability-'));
  const ca = await CertificateAuthority.open({ folder: join(folder, 'ca'), logger: silentLogger });
  const serving = await ca.issueServer({ ipAddresses: ['127.0.0.1'] });
  await writeFile(join(folder, 'tls.crt'), serving.chainPem);
  await writeFile(join(folder, 'tls.key'), serving.key.revealPem(), { mode: 0o600 });
  const children: ChildProcess[] = [];
  const agents: Agent[] = [];
  t.after(async () => {
    for (const agent of agents) {
      agent.destroy();
    }
    for (const child of children) {
      child.kill('SIGKILL');
    }
    ca.close();
    await rm(folder, { recursive: true, force: true });
  });
  return async () => {
    const program = join(import.meta.dirname, 'support/server-process.ts');
    const child = spawn(process.execPath, [program, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const agent = new Agent({ keepAlive: true, ca: ca.trustBundle.value.pem });
    agents.push(agent);
    return { child, user: createUser(line.toString().trim(), agent, { authorization: 'Bearer test' }) };
  };
}

test('kill -9 under concurrent writes loses no acknowledged write, and watches go on or are told to list', async (t) => {
  const start = await setUp(t);
  let running = await start();
  const acknowledged = new Map<string, number>();
  let highest = 0;
  for (let round = 0; round < 3; round += 1) {
    const { child, user } = running;
    const enough = Promise.withResolvers<void>();
    const before = acknowledged.size;
    const writers = Array.from({ length: 16 }, async (_, writer) => {
      for (let index = 0; ; index += 1) {
        const name = `r${round}-w${writer}-${index}`;
        const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { name } };
        const reply = await user.request('POST', configMaps, object).catch(() => undefined);
        if (reply === undefined) {
          return;
        }
        assert.equal(reply.status, 201);
        acknowledged.set(name, Number(reply.body.metadata.resourceVersion));
        if (acknowledged.size - before >= 150) {
          enough.resolve();
        }
      }
    });
    await enough.promise;
    child.kill('SIGKILL');
    await Promise.all([...writers, once(child, 'exit')]);
    running = await start();
    const { body: list } = await running.user.get(configMaps);
    const found = new Map<string, number>(
      list.items.map((item: { metadata: { name: string; resourceVersion: string } }) => [
        item.metadata.name,
        Number(item.metadata.resourceVersion),
      ]),
    );
    for (const [name, version] of acknowledged) {
      assert.equal(found.get(name), version, name);
    }
    assert.ok(Number(list.metadata.resourceVersion) >= Math.max(...acknowledged.values()), 'versions never go back');
    highest = Number(list.metadata.resourceVersion);
  }
  const stream = await running.user.watch(`${configMaps}?watch=1&resourceVersion=${highest}`);
  const late = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'late' } };
  const { body: written } = await running.user.request('POST', configMaps, late);
  assert.ok(Number(written.metadata.resourceVersion) > highest);
  assert.equal((await stream.next()).object.metadata.name, 'late');
  stream.close();
  const old = await running.user.get(`${configMaps}?watch=1&resourceVersion=2`);
  assert.equal(old.status, 410);
});
