import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  eventually,
  findPeer,
  peerSkip,
  programs,
  startBackground,
  startMesh,
  type TestMesh,
  type TestWorkload,
} from '@weft/testkit';
import { requestThroughProxy } from './http-proxy-request.ts';

const root = process.getuid?.() === 0;
const skip = peerSkip('tcpdump') || (root ? false : 'needs root: a packet capture');

let mesh: TestMesh;
let echo: TestWorkload;
let client: TestWorkload;
let folder: string;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'weft-capture-'));
  mesh = await startMesh();
  echo = await mesh.runWorkload(['--service', 'echo', '--', process.execPath, programs.echo], {
    env: { NAME: 'echo', VERSION: 'v1' },
  });
  client = await mesh.runWorkload(['--name', 'client', '--', 'sleep', '1000']);
});

after(async () => {
  await mesh?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Everything that crosses loopback to or from `port` while `work` runs. */
async function captured(port: number, work: () => Promise<void>): Promise<Buffer> {
  const file = join(folder, `${port}.pcap`);
  const capture = startBackground(findPeer('tcpdump') ?? 'tcpdump', [
    '-i',
    'lo',
    '-U',
    '--immediate-mode',
    '-w',
    file,
    '-Z',
    'root',
    'tcp',
    'port',
    String(port),
  ]);
  await eventually(() => /listening on lo/.test(capture.output()), { what: `tcpdump captures: ${capture.output()}` });
  await work();
  await new Promise((resolve) => setTimeout(resolve, 500));
  await capture.stop('SIGINT');
  return readFileSync(file);
}

test('a packet capture between two sidecars does not show the payload; one behind the sidecar does', {
  skip,
}, async () => {
  const marker = `marker-${randomBytes(12).toString('hex')}`;
  const send = async (): Promise<void> => {
    const answer = await eventually(
      async () => {
        const response = await requestThroughProxy(client.httpProxyPort, `http://echo/?q=${marker}`, {
          method: 'POST',
          headers: { 'x-secret': marker, 'content-length': String(marker.length) },
          body: marker,
        });
        return response.status === 200 ? response : undefined;
      },
      { what: 'echo answers' },
    );
    assert.ok(answer.body.includes(marker));
  };
  await send();
  const entry = await mesh
    .api()
    .request('GET', `/apis/networking.istio.io/v1/namespaces/default/workloadentries/${echo.name}`);
  const [inboundPort] = Object.values((entry.body as { spec: { ports: Record<string, number> } }).spec.ports);
  assert.ok(inboundPort !== undefined && echo.appPort !== undefined);

  const between = await captured(inboundPort, send);
  assert.ok(between.length > 1000, 'the capture saw the traffic between the sidecars');
  assert.equal(between.includes(marker), false);
  const behind = await captured(echo.appPort, send);
  assert.ok(behind.includes(marker), 'the same capture sees the marker where traffic is plaintext');
});
