import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { readConfig } from './read-config.ts';

function configFile(t: TestContext, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'weft-config-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'config.json');
  writeFileSync(path, text);
  return path;
}

test('without anything the documented ports and folder are used', () => {
  const config = readConfig([], { WEFT_HOME: '/tmp/somewhere' });
  assert.deepEqual(config.ports, { api: 7443, xds: 7012, join: 7011, page: 7080 });
  assert.equal(config.home, '/tmp/somewhere');
  assert.equal(config.certificateTtlMs, 24 * 3_600_000);
});

test('defaults are those of the flag, else of the file, else left to what the mesh had', (t) => {
  const path = configFile(t, '{"defaults":"envoy"}');
  assert.equal(readConfig(['--config', path, '--defaults', 'istio'], {}).defaults, 'istio');
  assert.equal(readConfig(['--config', path], {}).defaults, 'envoy');
  assert.equal(readConfig([], {}).defaults, undefined);
  assert.equal(readConfig([], {}).pathNormalization, undefined);
  assert.equal(readConfig(['--path-normalization', 'none'], {}).pathNormalization, 'none');
});

test('flags go before the file, the file before defaults', (t) => {
  const path = configFile(t, '{"ports":{"api":1000,"xds":2000},"trustDomain":"file.example"}');
  const config = readConfig(['--config', path, '--api-port', '0', '--certificate-ttl', '90s'], {});
  assert.equal(config.ports.api, 0);
  assert.equal(config.ports.xds, 2000);
  assert.equal(config.ports.page, 7080);
  assert.equal(config.trustDomain, 'file.example');
  assert.equal(config.certificateTtlMs, 90_000);
});

for (const [args, place] of [
  [['--api-port', '70000'], /ports\.api/],
  [['--api-port', 'x'], /ports\.api/],
  [['--certificate-ttl', '1y'], /certificate-ttl/],
  [['--certificate-ttl', '1s'], /certificate-ttl/],
  [['--log-level', 'loud'], /logLevel/],
  [['--defaults', 'kuma'], /defaults must be istio or envoy/],
  [['--path-normalization', 'BASE'], /pathNormalization must be one of none, base, /],
  [['--nonsense'], /nonsense/],
  [['stray'], /stray/],
  [['--config', '/nowhere/at/all'], /\/nowhere\/at\/all/],
] as const) {
  test(`refuses ${args.join(' ')} and names the place`, () => {
    assert.throws(() => readConfig(args, {}), { code: 'BAD_CONFIGURATION', message: place });
  });
}

for (const [text, place] of [
  ['{', /not JSON/],
  ['[]', /JSON object/],
  ['{"prots":{}}', /prots is not a setting/],
  ['{"ports":{"apy":1}}', /ports\.apy is not a setting/],
  ['{"ports":[]}', /ports/],
  ['{"trustDomain":5}', /trustDomain/],
  ['{"defaults":5}', /defaults must be istio or envoy/],
  [`{"trustDomain":"${'x'.repeat(1024 * 1024)}"}`, /larger than/],
] as const) {
  test(`refuses a file with ${text.slice(0, 30)}`, (t) => {
    const path = configFile(t, text);
    assert.throws(() => readConfig(['--config', path], {}), { code: 'BAD_CONFIGURATION', message: place });
  });
}
