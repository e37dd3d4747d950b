import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  childPids,
  eventually,
  freePort,
  grpcPython,
  startMesh,
  type TestMesh,
  type TestWorkload,
} from '@weft/testkit';
import { type Answer, Caller } from './proxyless/control.ts';

/** gRPC's own xDS clients as workloads of the mesh: the control plane is the real one, servers have sidecars, clients have no proxy. */

const programs = join(import.meta.dirname, 'proxyless');
const unavailable = 14;
const host = 'echo.default.svc.cluster.local';
const networking = '/apis/networking.istio.io/v1/namespaces/default';

const { python, skip: noPython } = grpcPython();

const clients: readonly {
  readonly name: string;
  readonly command: readonly string[];
  readonly skip: string | false;
}[] = [
  { name: 'grpc-js', command: [process.execPath, join(programs, 'client.ts')], skip: false },
  {
    name: 'grpcio',
    command: [python, join(programs, 'client.py')],
    skip: noPython,
  },
];

let mesh: TestMesh;

function startServer(version: string): Promise<TestWorkload> {
  return startServerOf('echo', version, ['--version', version]);
}

function startServerOf(service: string, name: string, flags: readonly string[]): Promise<TestWorkload> {
  const command = ['--', process.execPath, join(programs, 'server.ts'), name];
  return mesh.runWorkload(['--service', service, '--protocol', 'grpc', ...flags, ...command]);
}

async function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

async function startClient(
  name: string,
  command: readonly string[],
): Promise<{ readonly workload: TestWorkload; readonly caller: Caller }> {
  const port = await freePort();
  const flags = ['--name', name, '--engine', 'grpc', '--workload-group', 'near'];
  const workload = await mesh.runWorkload([...flags, '--', ...command, String(port)]);
  await eventually(() => isListening(port), { what: `${name} listens` });
  return { workload, caller: new Caller(port) };
}

/** The agent that `weft run` has started in place of a proxy. */
function agentOf({ process: { pid } }: TestWorkload): number | undefined {
  return childPids(pid).find((child) => readFileSync(`/proc/${child}/cmdline`, 'utf8').includes('/dist/grpc-agent.js'));
}

interface ApiObject {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly [field: string]: unknown;
}

/** An object of Istio's networking, in place of the one with its name. */
function putNetworking(kind: string, name: string, spec: object): Promise<void> {
  const metadata = { name, namespace: 'default' };
  return put(`${networking}/${kind.toLowerCase()}s`, { apiVersion: 'networking.istio.io/v1', kind, metadata, spec });
}

async function put(path: string, object: ApiObject): Promise<void> {
  const api = mesh.api();
  await api.request('DELETE', `${path}/${object.metadata.name}`);
  const { status, body } = await api.request('POST', path, object);
  assert.equal(status, 201, JSON.stringify(body));
}

/** The versions that answered so many calls, with how often; every call must be answered. */
async function spread(
  caller: Caller,
  calls: number,
  headers: Readonly<Record<string, string>> = {},
): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (let index = 0; index < calls; index += 1) {
    const version = versionOf(await caller.call('echo:80', { headers }));
    counts[version] = (counts[version] ?? 0) + 1;
  }
  return counts;
}

function versionOf(answer: Answer): string {
  assert.ok(answer.text !== undefined, `a call failed: ${JSON.stringify(answer)}`);
  return answer.text.split(' ')[0] ?? '';
}

async function sees(caller: Caller, versions: readonly string[]): Promise<void> {
  await eventually(
    async () =>
      Object.keys(await spread(caller, 10))
        .sort()
        .join() === versions.join(),
    {
      what: `calls go to ${versions.join(' and ')}`,
      timeoutMs: 30_000,
    },
  );
}

before(async () => {
  mesh = await startMesh();
  for (const zone of ['near', 'far']) {
    await putNetworking('WorkloadGroup', zone, { template: { locality: `here/${zone}` } });
  }
  await startServer('v1');
  await startServer('v2');
});

after(() => mesh?.stop());

for (const { name, command, skip } of clients) {
  describe(`${name} without a proxy`, { skip }, () => {
    let caller: Caller;
    let workload: TestWorkload;
    before(async () => {
      ({ caller, workload } = await startClient(name, command));
      await eventually(async () => (await caller.call('echo:80')).text !== undefined, {
        what: 'the first call is answered',
        timeoutMs: 30_000,
      });
    });
    after(() => caller?.[Symbol.dispose]());

    test('resolves a service by each of its names, and fails at once for one that nothing has', async () => {
      for (const target of [`${host}:80`, 'echo.default:80', 'echo:80']) {
        assert.ok((await caller.call(target)).text !== undefined, target);
      }
      assert.equal((await caller.call('nothing.default:80')).code, unavailable, 'it does not wait for its deadline');
    });

    test('balances over the instances', async () => {
      await sees(caller, ['v1', 'v2']);
      const { v1 = 0, v2 = 0 } = await spread(caller, 40);
      assert.ok(v1 >= 15 && v2 >= 15, `v1 ${v1}, v2 ${v2}`);
    });

    test('is known to the server by its identity, over mutual TLS; in the clear it is turned away where that is demanded', async () => {
      const { text } = await caller.call('echo:80');
      assert.match(text ?? '', new RegExp(` spiffe://cluster.local/ns/default/sa/${name}$`));
      assert.equal((await caller.call('echo:80', { secure: false })).code, unavailable, 'strict by default');
      const path = '/apis/security.istio.io/v1/namespaces/default/peerauthentications';
      await put(path, {
        apiVersion: 'security.istio.io/v1',
        kind: 'PeerAuthentication',
        metadata: { name: 'permissive', namespace: 'default' },
        spec: { mtls: { mode: 'PERMISSIVE' } },
      });
      try {
        await eventually(async () => / nobody$/.test((await caller.call('echo:80', { secure: false })).text ?? ''), {
          what: 'a call in the clear is answered',
          timeoutMs: 30_000,
        });
        assert.ok((await caller.call('echo:80')).text !== undefined);
      } finally {
        await mesh.api().request('DELETE', `${path}/permissive`);
      }
    });

    test('routes by header and by weight, as a VirtualService says, and takes changes without a failed call', async () => {
      await putNetworking('DestinationRule', 'echo', {
        host: 'echo',
        subsets: ['v1', 'v2'].map((version) => ({ name: version, labels: { version } })),
      });
      const to = (subset: string, weight?: number): object => ({ destination: { host: 'echo', subset }, weight });
      await putNetworking('VirtualService', 'echo', {
        hosts: ['echo'],
        http: [
          { match: [{ headers: { 'x-user': { exact: 'ada' } } }], route: [to('v2')] },
          { match: [{ headers: { 'x-user': { regex: 'b.*' } } }], route: [to('v1', 25), to('v2', 75)] },
          { route: [to('v1')] },
        ],
      });
      try {
        await sees(caller, ['v1']);
        assert.deepEqual(await spread(caller, 20, { 'x-user': 'ada' }), { v2: 20 });
        const { v1 = 0, v2 = 0 } = await spread(caller, 100, { 'x-user': 'bob' });
        assert.ok(v1 >= 8 && v2 >= 55, `v1 ${v1}, v2 ${v2}`);
      } finally {
        await mesh.api().request('DELETE', `${networking}/virtualservices/echo`);
        await mesh.api().request('DELETE', `${networking}/destinationrules/echo`);
      }
      await sees(caller, ['v1', 'v2']);
    });

    test('retries what failed once', async () => {
      const retried = (attempts: number): Promise<void> =>
        putNetworking('VirtualService', 'echo', {
          hosts: ['echo'],
          http: [
            {
              route: [{ destination: { host: 'echo' } }],
              retries: attempts === 0 ? { attempts } : { attempts, retryOn: 'unavailable' },
            },
          ],
        });
      // Each of the two servers fails the first time that it hears a message.
      let round = 0;
      const flaky = async (): Promise<number | undefined> => {
        round += 1;
        return (await caller.call('echo:80', { message: `flaky:${name}-${round}` })).code;
      };
      try {
        await retried(0);
        await eventually(async () => (await flaky()) === unavailable, { what: 'a call fails without retries' });
        await retried(4);
        await eventually(async () => (await flaky()) === undefined, { what: 'a call succeeds with retries' });
        for (let index = 0; index < 10; index += 1) {
          assert.equal(await flaky(), undefined);
        }
      } finally {
        await mesh.api().request('DELETE', `${networking}/virtualservices/echo`);
      }
    });

    test('fails over: no call is lost while an instance leaves', async () => {
      const third = await startServer('v3');
      await sees(caller, ['v1', 'v2', 'v3']);
      let isGone = false;
      const leaving = third.process.stop().then(() => {
        isGone = true;
      });
      for (let calls = 0; calls < 60 || !isGone; calls += 1) {
        versionOf(await caller.call('echo:80'));
      }
      await leaving;
      await sees(caller, ['v1', 'v2']);
    });

    test('fails over to another zone while there is nobody in its own', async () => {
      // By locality goes who ejects, as in Istio.
      await putNetworking('DestinationRule', 'places', {
        host: 'places',
        trafficPolicy: { outlierDetection: { consecutive5xxErrors: 5 } },
      });
      const far = await startServerOf('places', 'far', ['--workload-group', 'far']);
      let near = await startServerOf('places', 'near', ['--workload-group', 'near']);
      const goesTo = (expected: string): Promise<unknown> =>
        eventually(
          async () => {
            const answers = await Promise.all(Array.from({ length: 6 }, () => caller.call('places:80')));
            return answers.every(({ text = '' }) => text.startsWith(`${expected} `));
          },
          { what: `calls go to the zone ${expected}`, timeoutMs: 30_000 },
        );
      await goesTo('near');
      await near.process.stop();
      await goesTo('far');
      near = await startServerOf('places', 'near', ['--workload-group', 'near']);
      await goesTo('near');
      await Promise.all([near.process.stop(), far.process.stop()]);
    });

    test('goes on without its agent, and hears of changes when that is back', async () => {
      const agent = agentOf(workload);
      assert.ok(agent !== undefined);
      process.kill(agent, 'SIGKILL');
      await sees(caller, ['v1', 'v2']);
      await eventually(() => ![undefined, agent].includes(agentOf(workload)), { what: 'the agent is started again' });
      const third = await startServer('v4');
      await sees(caller, ['v1', 'v2', 'v4']);
      await third.process.stop();
      await sees(caller, ['v1', 'v2']);
    });

    test('is in sync', async () => {
      const api = mesh.api();
      const path = `/apis/weft.dev/v1alpha1/namespaces/default/proxies/${name}`;
      await eventually(
        async () => {
          const { body } = await api.request('GET', path);
          const { sync = [], connected } = (body as ProxyBody).status ?? {};
          const states = Object.fromEntries(sync.map(({ type, state }) => [type, state]));
          return connected === true && ['LDS', 'CDS', 'EDS'].every((type) => states[type] === 'SYNCED');
        },
        { what: 'all that it has asked for is acknowledged', timeoutMs: 30_000 },
      );
    });
  });
}

interface ProxyBody {
  readonly status?: {
    readonly connected?: boolean;
    readonly sync?: readonly { readonly type: string; readonly state: string }[];
  };
}
