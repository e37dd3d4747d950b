import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { checkServerIdentity, createServer, type TLSSocket } from 'node:tls';
import { PrivateSocket } from '@weft/agent';
import { silentLogger } from '@weft/base';
import { createCsr, createSvid, formatWorkloadId, generatePrivateKey } from '@weft/identity';
import { CertificateAuthority } from '@weft/identity/authority';
import { eventually } from '@weft/testkit';
import { XdsRelay } from './xds-relay.ts';

const workload = { trustDomain: 'cluster.local', namespace: 'default', serviceAccount: 'client' };

/** A relay to a control plane on loopback whose certificate is for `name`, and what that control plane has heard. */
async function start(t: TestContext, name: string, alpn: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'weft-relay-'));
  const ca = await CertificateAuthority.open({ folder: join(folder, 'ca'), logger: silentLogger });
  const serving = await ca.issueServer({ dnsNames: [name] });
  const key = await generatePrivateKey();
  const id = formatWorkloadId(workload);
  const issued = await ca.issueSvid({ csrPem: createCsr(key, id), identity: id, ttlMs: 3_600_000 });
  const svid = createSvid(issued.certChain, key);
  const heard: string[] = [];
  const server = createServer(
    {
      cert: serving.chainPem,
      key: serving.key.revealPem(),
      ca: ca.trustBundle.value.pem,
      requestCert: true,
      rejectUnauthorized: true,
      ALPNProtocols: [...alpn],
    },
    (socket: TLSSocket) => {
      heard.push(String(socket.getPeerCertificate().subjectaltname));
      socket.on('data', (data) => heard.push(String(data)));
      socket.on('error', () => {});
      socket.end('answer');
    },
  );
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const relay = new XdsRelay({
    address: { host: '127.0.0.1', port: address.port },
    credentials: () => ({
      ca: ca.trustBundle.value.pem,
      cert: svid.chainPem,
      key: svid.key.revealPem(),
      checkServerIdentity: (_, certificate) => checkServerIdentity('control-plane.example', certificate),
    }),
    logger: silentLogger,
  });
  const socket = new PrivateSocket(folder, 'xds.sock');
  await socket.bind((path) => relay.listen(path));
  t.after(() => {
    relay.close();
    server.close();
    socket.remove();
    ca.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return { path: socket.path, heard };
}

/** Says something and hears until the end. */
async function talk(path: string): Promise<string> {
  const client = connect(path);
  let text = '';
  client.on('data', (data) => {
    text += String(data);
  });
  client.on('error', () => {});
  client.write('question');
  await once(client, 'close');
  return text;
}

test('bytes go to the control plane and back, with the identity of the workload; the socket is its owner’s alone', async (t) => {
  const { path, heard } = await start(t, 'control-plane.example', ['h2']);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(await talk(path), 'answer');
  await eventually(() => heard.length === 2, { what: 'the control plane hears both' });
  assert.deepEqual(heard, ['URI:spiffe://cluster.local/ns/default/sa/client', 'question']);
});

test('a server that is not the control plane, or does not speak HTTP/2, hears nothing', async (t) => {
  const posing = await start(t, 'workload.example', ['h2']);
  assert.equal(await talk(posing.path), '');
  assert.ok(!posing.heard.includes('question'));
  const old = await start(t, 'control-plane.example', ['http/1.1']);
  assert.equal(await talk(old.path), '');
  assert.ok(!old.heard.includes('question'));
});
