import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { silentLogger } from '@weft/base';
import { formatWorkloadId } from '@weft/identity';
import { CertificateAuthority } from '@weft/identity/authority';
import { IstioCertificateRequest, IstioCertificateResponse } from '@weft/xds-types/istio/v1/auth/certificate.ts';
import { parseAgentBootstrap } from './agent-bootstrap.ts';
import { requestByToken } from './certificate-client.ts';

const workload = { trustDomain: 'cluster.local', namespace: 'default', serviceAccount: 'reviews' };

/** A certificate service on loopback whose certificate is for `names`. */
async function startService(t: TestContext, names: { ipAddresses?: string[]; dnsNames?: string[] }) {
  const folder = mkdtempSync(join(tmpdir(), 'weft-certificate-client-'));
  const ca = await CertificateAuthority.open({ folder: join(folder, 'ca'), logger: silentLogger });
  const serving = await ca.issueServer(names);
  const server = new Server();
  server.addService(
    {
      createCertificate: {
        path: '/istio.v1.auth.IstioCertificateService/CreateCertificate',
        requestStream: false,
        responseStream: false,
        requestSerialize: (message: IstioCertificateRequest) =>
          Buffer.from(IstioCertificateRequest.encode(message).finish()),
        requestDeserialize: (bytes: Buffer) => IstioCertificateRequest.decode(bytes),
        responseSerialize: (message: IstioCertificateResponse) =>
          Buffer.from(IstioCertificateResponse.encode(message).finish()),
        responseDeserialize: (bytes: Buffer) => IstioCertificateResponse.decode(bytes),
      },
    },
    {
      createCertificate: (call: { request: IstioCertificateRequest }, answer: (error: null, value: object) => void) =>
        void ca
          .issueSvid({ csrPem: call.request.csr, identity: formatWorkloadId(workload), ttlMs: 3_600_000 })
          .then(({ certChain }) => answer(null, { certChain })),
    },
  );
  const keyPair = { cert_chain: Buffer.from(serving.chainPem), private_key: Buffer.from(serving.key.revealPem()) };
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createSsl(null, [keyPair]), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  const trustBundleFile = join(folder, 'roots.pem');
  const tokenFile = join(folder, 'token');
  writeFileSync(trustBundleFile, ca.trustBundle.value.pem);
  writeFileSync(tokenFile, 'token');
  t.after(() => {
    server.forceShutdown();
    ca.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return parseAgentBootstrap(
    JSON.stringify({
      node: { id: 'default/reviews' },
      identity: {
        ...workload,
        caAddress: `127.0.0.1:${port}`,
        renewAddress: `127.0.0.1:${port}`,
        trustBundleFile,
        tokenFile,
      },
      xds: { address: `127.0.0.1:${port}` },
      stateDir: folder,
    }),
  ).identity;
}

test('a service at an address is checked by the address, and no warning of Node comes of it', async (t) => {
  const warnings: Error[] = [];
  const note = (warning: Error): void => void warnings.push(warning);
  process.on('warning', note);
  t.after(() => process.off('warning', note));
  const svid = await requestByToken(await startService(t, { ipAddresses: ['127.0.0.1'] }));
  assert.equal(svid.spiffeId, formatWorkloadId(workload));
  // Warnings come on the next tick.
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(warnings, []);
});

test('a service whose certificate is for another name gets no token', async (t) => {
  const named = await startService(t, { dnsNames: ['weft-control-plane'] });
  await assert.rejects(requestByToken(named), { code: 'UNAVAILABLE' });
});
