import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Client, credentials } from '@grpc/grpc-js';
import { silentLogger, systemClock } from '@weft/base';
import { generatePrivateKey, type SpiffeId } from '@weft/identity';
import { typeUrls } from '@weft/xds-types';
import { Node } from '@weft/xds-types/envoy/config/core/v3/base.ts';
import { DiscoveryRequest, DiscoveryResponse } from '@weft/xds-types/envoy/service/discovery/v3/discovery.ts';
import { SecretServer } from './secret-server.ts';

async function svid(chainPem: string) {
  return {
    spiffeId: 'spiffe://cluster.local/ns/default/sa/a' as SpiffeId,
    chainPem,
    key: await generatePrivateKey(),
    notBefore: 0,
    notAfter: 1,
  };
}

test('Envoy gets the key pair by SDS on a private socket, and each new one by push', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'weft-sds-test-'));
  const server = await SecretServer.start({ folder, clock: systemClock, logger: silentLogger });
  const client = new Client(`unix:${server.socket}`, credentials.createInsecure());
  try {
    assert.equal(statSync(server.socket).mode & 0o777, 0o600);
    server.publish(await svid('CHAIN-ONE'));
    const stream = client.makeBidiStreamRequest(
      '/envoy.service.secret.v3.SecretDiscoveryService/StreamSecrets',
      (message: DiscoveryRequest) => Buffer.from(DiscoveryRequest.encode(message).finish()),
      (bytes: Buffer) => DiscoveryResponse.decode(bytes),
    );
    const request = {
      versionInfo: '',
      node: { ...Node.decode(new Uint8Array()), id: 'default/a' },
      resourceNames: ['default'],
      resourceLocators: [],
      typeUrl: typeUrls.secret,
      responseNonce: '',
      errorDetail: undefined,
    };
    stream.on('error', () => {});
    const answers = stream[Symbol.asyncIterator]();
    stream.write(request);
    const first = (await answers.next()).value as DiscoveryResponse;
    assert.match(Buffer.from(first.resources[0]?.value ?? []).toString(), /CHAIN-ONE/);
    stream.write({ ...request, versionInfo: first.versionInfo, responseNonce: first.nonce });
    server.publish(await svid('CHAIN-TWO'));
    const second = (await answers.next()).value as DiscoveryResponse;
    assert.match(Buffer.from(second.resources[0]?.value ?? []).toString(), /CHAIN-TWO/);
    stream.cancel();
  } finally {
    client.close();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

test('where the folder’s path is too long for a socket, the socket has a private folder of its own', async () => {
  const folder = mkdtempSync(join(tmpdir(), `weft-${'long'.repeat(30)}-`));
  const server = await SecretServer.start({ folder, clock: systemClock, logger: silentLogger });
  try {
    assert.ok(server.socket.length < 108);
    assert.equal(statSync(join(server.socket, '..')).mode & 0o777, 0o700);
  } finally {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  }
  assert.equal(statSync(join(server.socket, '..'), { throwIfNoEntry: false }), undefined);
});
