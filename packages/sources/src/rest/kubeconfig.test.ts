import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { readKubeconfig } from './kubeconfig.ts';

function write(
  t: TestContext,
  parts: { readonly cluster?: string; readonly user?: string; readonly context?: string } = {},
): string {
  const folder = mkdtempSync(join(tmpdir(), 'weft-kubeconfig-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'ca.pem'), 'CA');
  const path = join(folder, 'config');
  writeFileSync(
    path,
    `clusters: [{ name: c, cluster: { server: "https://api.example:6443", certificate-authority: ca.pem${parts.cluster ?? ''} } }]
users: [{ name: u, user: { ${parts.user ?? 'token: secret'} } }]
contexts: [{ name: x, context: { cluster: c, user: u } }]
current-context: ${parts.context ?? 'x'}
`,
  );
  return path;
}

test('files beside the kubeconfig and data within are read', (t) => {
  const data = Buffer.from('CERT').toString('base64');
  const connection = readKubeconfig(write(t, { user: `token: secret, client-certificate-data: ${data}` }));
  assert.equal(connection.server, 'https://api.example:6443');
  assert.equal(connection.caPem, 'CA');
  assert.equal(connection.clientCertificatePem, 'CERT');
  assert.equal(connection.token?.(), 'secret');
});

for (const [what, parts, place] of [
  ['a connection that is not verified', { cluster: ', insecure-skip-tls-verify: true' }, /insecure-skip-tls-verify/],
  ['a program for credentials', { user: 'exec: { command: x }' }, /exec/],
  ['basic authentication', { user: 'username: x, password: y' }, /username/],
  ['a context that is not there', { context: 'y' }, /context "y"/],
  ['a file that is not there', { user: 'client-key: nowhere.pem' }, /nowhere\.pem/],
] as const) {
  test(`refuses ${what}`, (t) => {
    assert.throws(() => readKubeconfig(write(t, parts)), { code: 'BAD_CONFIGURATION', message: place });
  });
}

test('plain HTTP and text that is no YAML are refused', (t) => {
  const path = write(t);
  writeFileSync(path, 'clusters: [}');
  assert.throws(() => readKubeconfig(path), { code: 'BAD_CONFIGURATION', message: /not YAML/ });
  writeFileSync(path, 'x'.repeat(1024 * 1024 + 1));
  assert.throws(() => readKubeconfig(path), { code: 'BAD_CONFIGURATION', message: /larger than/ });
  assert.throws(() => readKubeconfig('/nowhere'), { code: 'BAD_CONFIGURATION' });
});
