import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { eventually, programs, startMesh, type TestMesh, type TestWorkload } from '@weft/testkit';

/** Ports that declare nothing: what is spoken is found out for each connection, and who waits for the server is not held up. */

let mesh: TestMesh;
let greeter: TestWorkload;
let echo: TestWorkload;

/** Says a greeting first, as SMTP and MySQL do, then answers each line. */
const greeterCode = `require('node:net').createServer((socket) => {
  socket.on('error', () => {});
  socket.write('220 ready\\n');
  socket.on('data', (bytes) => socket.write('heard ' + bytes));
}).listen(process.env.PORT, '127.0.0.1')`;

before(async () => {
  mesh = await startMesh();
  const auto = ['--protocol', 'auto', '--port', '7000:0', '--'];
  greeter = await mesh.runWorkload(['--service', 'greeter', ...auto, process.execPath, '-e', greeterCode]);
  echo = await mesh.runWorkload(['--service', 'echo', ...auto, process.execPath, programs.echo], {
    env: { NAME: 'echo', VERSION: 'v1' },
  });
});

after(async () => {
  await mesh?.stop();
});

async function clientOf(upstream: string, code: string): Promise<string> {
  const finished = await mesh.weft([
    ...['run', '-q', '--name', `${upstream}-client`, '--upstream', upstream, '--'],
    ...[process.execPath, '--input-type=module', '-e', code],
  ]);
  assert.equal(finished.code, 0, finished.stderr);
  return finished.stdout;
}

async function metric(workload: TestWorkload, name: string): Promise<string[]> {
  const text = await (await fetch(`http://127.0.0.1:${workload.adminPort}/metrics`)).text();
  return text.split('\n').filter((line) => line.startsWith(`${name}{`));
}

const connected = (variable: string): string => `
  import { connect } from 'node:net';
  const [host, port] = process.env.${variable}.split(':');
  const open = () => new Promise((resolve, reject) => {
    const socket = connect({ host, port: Number(port) }, () => resolve(socket));
    socket.on('error', reject);
  });`;

test('a server that speaks first is heard within the limit, and the conversation goes on', async () => {
  const out = await clientOf(
    'greeter',
    `${connected('WEFT_UPSTREAM_GREETER')}
    for (let tries = 0; ; tries += 1) {
      const started = performance.now();
      const socket = await open();
      let text = '';
      const done = await new Promise((resolve) => {
        socket.on('data', (bytes) => {
          text += bytes;
          if (text === '220 ready\\n') {
            socket.write('QUIT');
          } else if (text.endsWith('QUIT')) {
            resolve(true);
          }
        });
        socket.on('close', () => resolve(false));
      });
      socket.destroy();
      if (done || tries > 50) {
        console.log(JSON.stringify({ text, quick: performance.now() - started < 5000 }));
        break;
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }`,
  );
  assert.deepEqual(JSON.parse(out), { text: '220 ready\nheard QUIT', quick: true });
  const opened = await metric(greeter, 'istio_tcp_connections_opened_total');
  assert.ok(
    opened.some((line) => /connection_security_policy="mutual_tls"/.test(line)),
    opened.join('\n'),
  );
  assert.deepEqual(await metric(greeter, 'istio_requests_total'), []);
});

test('HTTP on such a port is counted as requests at both ends', async () => {
  const out = await clientOf(
    'echo',
    `let status = 0;
    for (let tries = 0; status !== 200 && tries < 50; tries += 1) {
      status = await fetch('http://' + process.env.WEFT_UPSTREAM_ECHO + '/hello').then((r) => r.status, () => 0);
      if (status !== 200) {
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
    console.log(status);`,
  );
  assert.equal(out.trim(), '200');
  await eventually(
    async () => (await metric(echo, 'istio_requests_total')).some((line) => /response_code="200"/.test(line)),
    { what: 'the request is counted' },
  );
});

test('what was learnt is told with the service: what clients speak, and what to declare', async () => {
  const { body } = await eventually(
    async () => {
      const answer = await mesh.api().request('GET', '/weft/v1/checks');
      return JSON.stringify(answer.body).match(/service default/g)?.length === 2 ? answer : undefined;
    },
    { what: 'both services are named' },
  );
  const { checks } = body as { checks: { id: string; title: string; message: string; fix?: string }[] };
  assert.deepEqual(
    checks.filter(({ id }) => id === 'protocols-declared').map(({ title, message, fix }) => [title, message, fix]),
    [
      ['service default/echo', 'port 7000 declares no protocol; HTTP/1.1 was seen', 'Declare `appProtocol: http`.'],
      ['service default/greeter', 'port 7000 declares no protocol; tcp was seen', 'Declare `appProtocol: tcp`.'],
    ],
  );
});

test('a workload that listens on a Unix socket is reached like any other', async () => {
  const path = join(mesh.home, 'app.sock');
  const code = `require('node:http').createServer((request, response) => response.end('by socket'))
    .listen(${JSON.stringify(path)})`;
  const local = await mesh.runWorkload([
    ...['--service', 'local', '--port', `80:unix:${path}`, '--', process.execPath, '-e', code],
  ]);
  assert.match(local.process.output(), /the command listens on .*app\.sock/);
  const out = await clientOf(
    'local',
    `let text = '';
    for (let tries = 0; text !== 'by socket' && tries < 50; tries += 1) {
      text = await fetch('http://' + process.env.WEFT_UPSTREAM_LOCAL + '/').then((r) => r.text(), () => '');
      if (text !== 'by socket') {
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
    console.log(text);`,
  );
  assert.equal(out.trim(), 'by socket');
});

test('what was learnt is told by the sidecar', async () => {
  // Sidecars tell by ALPN what their applications speak: the inbound side sees TLS.
  const learnt = await metric(greeter, 'weft_listener_detected_protocol_total');
  assert.ok(
    learnt.some((line) => /protocol="tls"/.test(line)),
    learnt.join('\n'),
  );
  const listeners = await (await fetch(`http://127.0.0.1:${greeter.adminPort}/listeners?format=json`)).json();
  assert.match(JSON.stringify(listeners), /"detected_protocols":\{"tls":\d+\}/);
});
