import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import * as grpc from '@grpc/grpc-js';
import { systemClock } from '@weft/base';
import { eventually, freePort, ManualClock } from '@weft/testkit';
import { saysServingByGrpc } from './grpc-check.ts';
import { HealthProbe, probeProblem } from './health-probe.ts';
import { answersHttp } from './http-check.ts';
import { acceptsConnections } from './tcp-check.ts';

const host = '127.0.0.1';
const servers: Server[] = [];
const sockets = new Set<Socket>();
const folder = mkdtempSync(join(tmpdir(), 'weft-probe-'));
const health = new grpc.Server();
let grpcPort = 0;

/** The answers of a health service: what `service` names is what it says. */
const statuses: Readonly<Record<string, number>> = { '': 1, open: 1, unsure: 0, closed: 2 };

before(async () => {
  const args =
    '-x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=nobody -keyout key -out cert';
  execFileSync('openssl', ['req', ...args.split(' ')], { cwd: folder, stdio: 'pipe' });
  const asIs = (bytes: Buffer): Buffer => bytes;
  const serializers = {
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  };
  health.addService(
    {
      Check: { path: '/grpc.health.v1.Health/Check', requestStream: false, responseStream: false, ...serializers },
    },
    {
      Check({ request }: grpc.ServerUnaryCall<Buffer, Buffer>, done: grpc.sendUnaryData<Buffer>): void {
        const status = statuses[request.toString('utf8', 2)];
        if (status === undefined) {
          done({ code: grpc.status.NOT_FOUND });
        } else {
          // The default value of an enumeration is not on the wire.
          done(null, Buffer.from(status === 0 ? [] : [0x08, status]));
        }
      },
    },
  );
  grpcPort = await new Promise<number>((resolve, reject) =>
    health.bindAsync(`${host}:0`, grpc.ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    ),
  );
});

after(() => {
  health.forceShutdown();
  for (const socket of sockets) {
    socket.destroy();
  }
  for (const server of servers) {
    server.close();
  }
  rmSync(folder, { recursive: true, force: true });
});

async function listen(server: Server): Promise<number> {
  servers.push(server);
  server.on('connection', (socket: Socket) => sockets.add(socket.on('error', () => {})));
  await once(server.listen(0, host), 'listening');
  return (server.address() as AddressInfo).port;
}

const soon = (): AbortSignal => AbortSignal.timeout(500);

const app: RequestListener = (request, response) => {
  const { pathname } = new URL(request.url ?? '', 'http://x');
  switch (pathname) {
    case '/moved':
      response.writeHead(302, { location: '/elsewhere' }).end();
      break;
    case '/endless':
      response.write('x'.repeat(20_000));
      break;
    case '/breaks':
      response.writeHead(200, { 'content-length': '10' }).write('x');
      setTimeout(() => response.destroy(), 20);
      break;
    case '/slow':
      response.writeHead(200).write('x');
      break;
    case '/named':
      response.writeHead(request.headers['x-probe'] === 'yes' ? 204 : 400).end();
      break;
    default:
      response.writeHead(pathname === '/' ? 200 : 404).end('well');
  }
};

for (const scheme of ['HTTP', 'HTTPS'] as const) {
  test(`${scheme}: a status from 200 to 399 and a body that ends, or is long, are healthy`, async () => {
    const port = await listen(
      scheme === 'HTTP'
        ? createHttpServer(app)
        : createHttpsServer({ cert: readFileSync(join(folder, 'cert')), key: readFileSync(join(folder, 'key')) }, app),
    );
    const httpHeaders = [{ name: 'x-probe', value: 'yes' }];
    const ask = (path: string) => answersHttp({ port, scheme, path, httpHeaders }, host, soon());
    for (const [path, healthy] of [
      ['', true],
      ['/', true],
      ['/moved', true],
      ['/named', true],
      ['/endless', true],
      ['/absent', false],
      ['/breaks', false],
      ['/slow', false],
    ] as const) {
      assert.equal(await ask(path), healthy, path);
    }
  });
}

test('HTTPS is not asked of a port of plaintext, nor the other way round', async () => {
  const plain = await listen(createHttpServer(app));
  const secured = await listen(
    createHttpsServer({ cert: readFileSync(join(folder, 'cert')), key: readFileSync(join(folder, 'key')) }, app),
  );
  assert.equal(await answersHttp({ port: plain, scheme: 'HTTPS' }, host, soon()), false);
  assert.equal(await answersHttp({ port: secured, scheme: 'HTTP' }, host, soon()), false);
  assert.equal(await answersHttp({ port: await freePort(), scheme: 'HTTPS' }, host, soon()), false);
});

test('gRPC: SERVING is healthy, and nothing else is', async () => {
  const ask = (port: number, service = '') => saysServingByGrpc({ host, port, service }, soon());
  for (const [service, healthy] of [
    ['', true],
    ['open', true],
    ['unsure', false],
    ['closed', false],
    ['unknown', false],
  ] as const) {
    assert.equal(await ask(grpcPort, service), healthy, service);
  }
  assert.equal(await ask(await listen(createHttpServer(app))), false, 'HTTP/1.1');
  assert.equal(await ask(await listen(createServer(() => {}))), false, 'silence');
  assert.equal(await ask(await freePort()), false, 'nobody');
  const http2 = (respond: (stream: import('node:http2').ServerHttp2Stream) => void): Promise<number> =>
    listen(createHttp2Server().on('stream', respond));
  assert.equal(await ask(await http2((stream) => stream.respond({ ':status': 200 }, { endStream: true }))), false);
  const serving = Buffer.from([0, 0, 0, 0, 2, 8, 1]);
  const answer = (status: string, body: Buffer) =>
    http2((stream) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': status }));
      stream.on('error', () => {}).end(body);
    });
  assert.equal(await ask(await answer('0', serving)), true, 'as it should be');
  assert.equal(await ask(await answer('13', serving)), false, 'a failed call');
  assert.equal(await ask(await answer('0', Buffer.alloc(100_000))), false, 'too much');
});

test('TCP: something that accepts is healthy', async () => {
  assert.equal(await acceptsConnections({ host, port: await listen(createServer()), signal: soon() }), true);
  assert.equal(await acceptsConnections({ host, port: await freePort(), signal: soon() }), false);
  assert.equal(await acceptsConnections({ host, port: grpcPort, signal: AbortSignal.abort() }), false);
});

test('all of a check is to be done in the time of the probe, and then its connection is gone', async () => {
  let asked = 0;
  let open = 0;
  const port = await listen(
    createServer((socket) => {
      asked += 1;
      open += 1;
      socket.on('close', () => (open -= 1)).resume();
    }),
  );
  for (const probe of [{ httpGet: { port } }, { httpGet: { port, scheme: 'HTTPS' } }, { grpc: { port } }]) {
    const clock = new ManualClock();
    const healthProbe = new HealthProbe({ ...probe, timeoutSeconds: 3 }, clock, () => assert.fail('nobody answered'));
    const before = asked;
    healthProbe.start();
    clock.advance(2_999);
    await eventually(() => asked > before, { what: 'the server is asked' });
    assert.equal(open, 1);
    clock.advance(1);
    await eventually(() => open === 0, { what: 'the connection is gone' });
    healthProbe.stop();
  }
});

test('a probe tells the first success and what changes for good', async () => {
  const told: boolean[] = [];
  const probe = { grpc: { port: grpcPort, service: 'open' }, periodSeconds: 1 };
  const healthProbe = new HealthProbe(probe, systemClock, (healthy) => told.push(healthy));
  healthProbe.start();
  await eventually(() => told.length > 0, { what: 'it is found healthy' });
  healthProbe.stop();
  assert.deepEqual(told, [true]);
});

test('what cannot be sent is said before anybody is checked', () => {
  const problems = [
    { path: '/is it up' },
    {
      path: '/ready',
      httpHeaders: [
        { name: 'x-a', value: '1' },
        { name: 'no header', value: '' },
      ],
    },
    { path: '/ready', httpHeaders: [{ name: 'x-a', value: 'two\nlines' }] },
    { path: '/ready%20now?a=b', httpHeaders: [{ name: 'x-a', value: '1' }] },
  ].map((httpGet) => probeProblem({ httpGet: { port: 80, ...httpGet } })?.split(':')[0]);
  assert.deepEqual(problems, [
    'probe.httpGet.path',
    'probe.httpGet.httpHeaders[1]',
    'probe.httpGet.httpHeaders[0]',
    undefined,
  ]);
});
