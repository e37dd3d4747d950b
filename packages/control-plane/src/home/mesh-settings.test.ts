import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { keepSettings } from './mesh-settings.ts';

function fileIn(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'weft-settings-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'mesh.json');
}

test('a mesh has the settings of Istio until others are asked for, and keeps those', async (t) => {
  const path = fileIn(t);
  const istio = { defaults: 'istio', pathNormalization: 'base' } as const;
  assert.deepEqual(await keepSettings(path, {}), istio);
  assert.deepEqual(await keepSettings(path, { defaults: 'envoy' }), { ...istio, defaults: 'envoy' });
  assert.deepEqual(await keepSettings(path, {}), { ...istio, defaults: 'envoy' });
  const both = { defaults: 'envoy', pathNormalization: 'merge-slashes' } as const;
  assert.deepEqual(await keepSettings(path, { pathNormalization: 'merge-slashes' }), both);
  assert.deepEqual(await keepSettings(path, {}), both);
  assert.deepEqual(await keepSettings(path, istio), istio);
  assert.deepEqual(await keepSettings(path, {}), istio);
});

test('a file of before there were modes of paths is taken', async (t) => {
  const path = fileIn(t);
  writeFileSync(path, '{"defaults":"envoy"}', { mode: 0o600 });
  assert.deepEqual(await keepSettings(path, {}), { defaults: 'envoy', pathNormalization: 'base' });
});

for (const text of ['', '{', 'null', '{}', '{"defaults":"kuma"}', '{"defaults":"istio","pathNormalization":"BASE"}']) {
  test(`a file with ${JSON.stringify(text)} is refused, whatever is asked for`, async (t) => {
    const path = fileIn(t);
    writeFileSync(path, text, { mode: 0o600 });
    for (const asked of [{}, { defaults: 'istio' }] as const) {
      await assert.rejects(keepSettings(path, asked), { code: 'BAD_CONFIGURATION', message: /mesh\.json/ });
    }
  });
}
