import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { get } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import {
  type Background,
  eventually,
  freePort,
  programs,
  startBackground,
  startMesh,
  type TestMesh,
} from '@weft/testkit';
import { createKeyPair, type KeyPair } from '../conformance/gateway-api/certificates.ts';
import { availableEngines, type EngineName, engineEnvironment, runCaller } from './engine-pairs.ts';
import { type ProxiedResponse, requestThroughProxy } from './http-proxy-request.ts';

/** What is wrong is said where it stands, and what was right before goes on, in sidecars and gateways of both engines. */

let mesh: TestMesh;
const callers = new Map<EngineName, number>();
/** By engine and the port of the Gateway. */
const opened = new Map<string, number>();
const gateways: Background[] = [];

const route = (name: string, rules: string): string => `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: ${name}}
spec:
  hosts: [echo]
  http:
${rules}`;

const good = `${route('echo', '    - headers: {response: {set: {x-good: "1"}}}\n      route: [{destination: {host: echo}}]\n')}---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge}
spec:
  gatewayClassName: weft
  listeners:
    - {name: web, port: 8080, protocol: HTTP}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: echo}
spec:
  parentRefs: [{name: edge}]
  hostnames: [echo.example, valid.example]
  rules: [{backendRefs: [{name: echo, port: 80}]}]
`;

before(async () => {
  mesh = await startMesh();
  await mesh.runWorkload(['--service', 'echo', '--', process.execPath, programs.echo]);
  await apply(good);
  for (const engine of availableEngines) {
    const { workload } = await runCaller(mesh, `caller-${engine}`, engine, []);
    callers.set(engine, workload.httpProxyPort);
    const flags: string[] = [];
    for (const port of [8080, 8443, 9000]) {
      const free = await freePort();
      opened.set(`${engine} ${port}`, free);
      flags.push('--port', `${port}=${free}`);
    }
    const args = [programs.weft, 'gateway', 'edge', '--label', 'istio=edge', '--engine', engine, ...flags];
    gateways.push(startBackground(process.execPath, args, { env: { ...mesh.env, ...engineEnvironment } }));
  }
  await goesOn();
});

after(async () => {
  await Promise.all(gateways.map((gateway) => gateway.stop()));
  await mesh?.stop();
});

async function apply(text: string): Promise<void> {
  const done = await mesh.weft(['apply', '-f', '-'], { input: text });
  assert.equal(done.code, 0, done.stderr);
}

async function remove(text: string): Promise<void> {
  await mesh.weft(['delete', '-f', '-'], { input: text });
}

function atGateway(engine: EngineName, port: number, host: string, path = '/'): Promise<ProxiedResponse> {
  return requestThroughProxy(opened.get(`${engine} ${port}`) ?? 0, `http://${host}${path}`);
}

function call(engine: EngineName, url: string): Promise<ProxiedResponse> {
  return requestThroughProxy(callers.get(engine) ?? 0, url);
}

/** The status of an answer over TLS; rejects when there is no connection. */
function overTls(engine: EngineName, host: string, ca: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const port = opened.get(`${engine} 8443`) ?? 0;
    get({ host: '127.0.0.1', port, servername: host, headers: { host }, ca, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    }).on('error', reject);
  });
}

/** The configuration of the beginning is in force in every proxy. */
async function goesOn(): Promise<void> {
  for (const engine of availableEngines) {
    await eventually(async () => (await call(engine, 'http://echo/')).headers['x-good'] === '1', {
      what: `the sidecar of ${engine} has the route`,
    });
    await eventually(async () => (await atGateway(engine, 8080, 'echo.example')).status === 200, {
      what: `the gateway of ${engine} serves`,
    });
  }
}

/** What is made after it is younger: ages are told in seconds. */
function nextSecond(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1_050 - (Date.now() % 1_000)));
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

/** Until a condition with `type` and `reason` is somewhere in the status of an object; its message. */
async function said(kind: string, name: string, type: string, reason: string, namespace = 'default'): Promise<string> {
  const found = await eventually(
    async () => {
      const { stdout } = await mesh.weft(['get', kind, name, '-n', namespace, '-o', 'json']);
      const all: Condition[] = [];
      JSON.stringify(JSON.parse(stdout).status, (key, value: unknown) => {
        if (key === 'conditions') {
          all.push(...(value as Condition[]));
        }
        return value;
      });
      return all.find((condition) => condition.type === type && condition.reason === reason);
    },
    { what: `${kind} ${namespace}/${name} says ${type} ${reason}` },
  );
  return found.message;
}

describe('refused before anything changes, with line, column and field', () => {
  for (const [what, text, places] of [
    [
      'cyclic delegation',
      ['b', 'c']
        .map((name, at, all) =>
          route(name, `    - delegate: {name: ${all[1 - at]}}\n`).replace('hosts: [echo]', 'exportTo: ["*"]'),
        )
        .join('---\n'),
      [
        /<stdin>:7:17 {2}spec\.http\[0\]\.delegate/,
        /<stdin>:15:17 {2}spec\.http\[0\]\.delegate/,
        /cannot delegate further/,
      ],
    ],
    [
      'a percentage over 100 and a duration with a wrong unit, both at once',
      route(
        'echo',
        '    - fault: {abort: {httpStatus: 503, percentage: {value: 101}}}\n      timeout: 5 seconds\n      route: [{destination: {host: echo}}]\n',
      ),
      [
        /<stdin>:7:60 {2}spec\.http\[0\]\.fault\.abort\.percentage\.value/,
        /<stdin>:8:16 {2}spec\.http\[0\]\.timeout/,
        /101.*not a percentage/,
        /"5 seconds".*must be a valid duration/,
      ],
    ],
    [
      'a Gateway without listeners, and one without servers',
      'apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: edge}\nspec:\n  gatewayClassName: weft\n  listeners: []\n---\napiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: edge}\nspec:\n  selector: {istio: edge}\n  servers: []\n',
      [/<stdin>:6:14 {2}spec\.listeners/, /<stdin>:13:12 {2}spec\.servers/],
    ],
  ] as const) {
    test(what, async () => {
      for (const command of ['apply', 'validate']) {
        const args = command === 'apply' ? ['apply', '-f', '-'] : ['validate', '-'];
        const refused = await mesh.weft(args, { input: text });
        assert.equal(refused.code, 2, `${command}: ${refused.stdout}`);
        for (const place of places) {
          assert.match(refused.stderr, place, command);
        }
      }
      await goesOn();
    });
  }
});

test('a delegation in a circle of VirtualServices with hosts leads nowhere: 503, and the status names it', async () => {
  const circle = `${route('circle', '    - delegate: {name: circle}\n')}`.replace('[echo]', '[circle.example]');
  await apply(circle);
  assert.match(
    await said('virtualservice', 'circle', 'ResolvedRefs', 'NotFound'),
    /http\[0\]: delegate default\/circle has hosts of its own/,
  );
  for (const engine of availableEngines) {
    await eventually(async () => (await call(engine, 'http://circle.example/')).status === 503, {
      what: `${engine} knows the host`,
    });
  }
  await goesOn();
  await remove(circle);
});

test('a host that two namespaces claim: the older keeps it, the younger says so', async (t) => {
  const claim = (namespace: string, port: number): string => `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: claim, namespace: ${namespace}}
spec:
  hosts: [claimed.example]
  location: MESH_EXTERNAL
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP}]
  endpoints: [{address: 127.0.0.1, ports: {http: ${port}}}]
`;
  const servers = ['first', 'second'].map((name) => createServer((_, response) => response.end(name)));
  t.after(() => {
    for (const server of servers) {
      server.close();
    }
  });
  const [first = 0, second = 0] = await Promise.all(
    servers.map(async (server) => {
      await once(server.listen(0, '127.0.0.1'), 'listening');
      return (server.address() as AddressInfo).port;
    }),
  );
  await apply('apiVersion: v1\nkind: Namespace\nmetadata: {name: late}\n');
  await apply(claim('default', first));
  for (const engine of availableEngines) {
    await eventually(async () => (await call(engine, 'http://claimed.example/')).body === 'first', {
      what: `${engine} reaches the older`,
    });
  }
  await nextSecond();
  await apply(claim('late', second));
  assert.match(
    await said('serviceentry', 'claim', 'Conflicted', 'OlderResourceWins', 'late'),
    /host claimed\.example by ServiceEntry default\/claim/,
  );
  for (const engine of availableEngines) {
    assert.equal((await call(engine, 'http://claimed.example/')).body, 'first');
  }
  await goesOn();
  await remove(claim('late', second));
  await remove(claim('default', first));
});

test('a DNS name that never resolves: its requests get 503, weft check names it, and nothing waits for it', async () => {
  const never = `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: never}
spec:
  hosts: [never.invalid]
  location: MESH_EXTERNAL
  resolution: DNS
  ports: [{number: 80, name: http, protocol: HTTP}]
`;
  await apply(never);
  for (const engine of availableEngines) {
    const answer = await eventually(
      async () => {
        const found = await call(engine, 'http://never.invalid/');
        return found.status === 503 ? found : undefined;
      },
      { what: `${engine} knows the host` },
    );
    assert.equal(answer.body, 'no healthy upstream');
  }
  const { stdout } = await mesh.weft(['check']);
  assert.match(
    stdout,
    /ServiceEntry default\/never: never\.invalid does not resolve \(\w+\): requests to it are answered 503/,
  );
  await goesOn();
  await remove(never);
});

test('Gateways that want one port in different ways: the older has it, the younger says so', async () => {
  const istio = (name: string, protocol: string): string => `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: ${name}}
spec:
  selector: {istio: edge}
  servers: [{port: {number: 9000, name: it, protocol: ${protocol}}, hosts: ["*"]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: ${name}}
spec:
  hosts: ["*"]
  gateways: [${name}]
  ${protocol === 'TCP' ? 'tcp' : 'http'}: [{route: [{destination: {host: echo, port: {number: 80}}}]}]
`;
  await apply(istio('first', 'HTTP'));
  for (const engine of availableEngines) {
    await eventually(async () => (await atGateway(engine, 9000, 'a.example')).status === 200, {
      what: `${engine} opens the port`,
    });
  }
  await nextSecond();
  await apply(istio('second', 'TCP'));
  const group = 'gateways.networking.istio.io';
  assert.match(
    await said(group, 'second', 'Conflicted', 'OlderResourceWins'),
    /port 9000 \(servers\[0\]\) by Gateway default\/first/,
  );
  for (const engine of availableEngines) {
    assert.equal((await atGateway(engine, 9000, 'a.example')).status, 200);
  }
  await goesOn();
  await remove(istio('second', 'TCP'));
  await remove(istio('first', 'HTTP'));
});

test('a listener whose certificate has expired, or is that of another key, is refused alone', async () => {
  const secret = (name: string, { certificate, key }: KeyPair): string =>
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name },
      type: 'kubernetes.io/tls',
      data: {
        'tls.crt': Buffer.from(certificate).toString('base64'),
        'tls.key': Buffer.from(key).toString('base64'),
      },
    });
  const valid = await createKeyPair(['valid.example']);
  const other = await createKeyPair(['mixed.example']);
  await apply(secret('expired', await createKeyPair(['old.example'], { fromDay: -9, toDay: -2 })));
  await apply(secret('valid', valid));
  await apply(secret('mixed', { certificate: other.certificate, key: valid.key }));
  const listeners = ['valid', 'expired', 'mixed']
    .map(
      (name) =>
        `    - {name: ${name}, port: 8443, protocol: HTTPS, hostname: ${name}.example, tls: {certificateRefs: [{name: ${name}}]}}\n`,
    )
    .join('');
  await apply(good.replace('protocol: HTTP}\n', `protocol: HTTP}\n${listeners}`));
  const kind = 'gateways.gateway.networking.k8s.io';
  const { listeners: states } = await eventually(
    async () => {
      const { stdout } = await mesh.weft(['get', kind, 'edge', '-o', 'json']);
      const { status } = JSON.parse(stdout) as {
        status?: { listeners?: readonly { readonly name: string; readonly conditions: readonly Condition[] }[] };
      };
      return status?.listeners?.length === 4 ? { listeners: status.listeners } : undefined;
    },
    { what: 'every listener has a status' },
  );
  const refs = (name: string): string => {
    const condition = states.find((one) => one.name === name)?.conditions.find(({ type }) => type === 'ResolvedRefs');
    return `${condition?.status} ${condition?.message}`;
  };
  assert.match(refs('expired'), /^False .*had expired when it was written/);
  assert.match(refs('mixed'), /^False .*is not the key of its certificate/);
  assert.match(refs('web'), /^True /);
  assert.match(refs('valid'), /^True /);
  for (const engine of availableEngines) {
    await eventually(async () => (await overTls(engine, 'valid.example', valid.certificate)) === 200, {
      what: `${engine} serves the listener beside them`,
    });
    for (const name of ['expired.example', 'mixed.example']) {
      await assert.rejects(overTls(engine, name, valid.certificate), { code: 'ECONNRESET' }, `${engine}: ${name}`);
    }
  }
  await goesOn();
  await apply(good);
});

test('a backend that does not exist: 500, and the status of the route names it', async () => {
  const broken = `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: broken}
spec:
  parentRefs: [{name: edge}]
  hostnames: [broken.example]
  rules: [{backendRefs: [{name: nobody, port: 80}]}]
`;
  await apply(broken);
  assert.match(await said('httproute', 'broken', 'ResolvedRefs', 'BackendNotFound'), /default\/nobody/);
  for (const engine of availableEngines) {
    await eventually(async () => (await atGateway(engine, 8080, 'broken.example')).status === 500, {
      what: `the gateway of ${engine} answers 500`,
    });
  }
  await goesOn();
  await remove(broken);
});
