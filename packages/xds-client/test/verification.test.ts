import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createSecureServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLogger, systemClock } from '@weft/base';
import { CertificateAuthority } from '@weft/identity/authority';
import { createGrpcChannel } from '../src/grpc/channel.ts';

test('a server under another root gets nothing, whatever the environment says', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'weft-verification-'));
  const open = (name: string): Promise<CertificateAuthority> =>
    CertificateAuthority.open({ folder: join(folder, name), logger: silentLogger });
  const [ours, theirs] = [await open('ours'), await open('theirs')];
  const { chainPem, key } = await theirs.issueServer({ ipAddresses: ['127.0.0.1'] });
  const server = createSecureServer({ cert: chainPem, key: key.revealPem() });
  let streams = 0;
  server.on('stream', (stream) => {
    streams += 1;
    stream.close();
  });
  server.on('sessionError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
  const channel = createGrpcChannel({
    address: { host: '127.0.0.1', port: (server.address() as AddressInfo).port },
    credentials: () => ({ kind: 'tls', tls: { ca: ours.trustBundle.value.pem } }),
    clock: systemClock,
  });
  t.after(async () => {
    delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    channel.close();
    ours.close();
    theirs.close();
    server.close();
    await rm(folder, { recursive: true, force: true });
  });
  const { code } = await new Promise<{ readonly code: string }>((resolve) => {
    channel.open('/a.B/C', { onMessage() {}, onEnd: resolve });
  });
  assert.equal(code, 'UNAVAILABLE');
  assert.equal(streams, 0);
});
