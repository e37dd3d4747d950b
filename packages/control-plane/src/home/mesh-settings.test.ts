import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { keepDefaults } from './mesh-settings.ts';

function fileIn(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'weft-settings-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'mesh.json');
}

test('a mesh has the defaults of Istio until others are asked for, and keeps those', async (t) => {
  const path = fileIn(t);
  assert.equal(await keepDefaults(path, undefined), 'istio');
  assert.equal(await keepDefaults(path, 'envoy'), 'envoy');
  assert.equal(await keepDefaults(path, undefined), 'envoy');
  assert.equal(await keepDefaults(path, 'istio'), 'istio');
  assert.equal(await keepDefaults(path, undefined), 'istio');
});

for (const text of ['', '{', 'null', '{}', '{"defaults":"kuma"}']) {
  test(`a file with ${JSON.stringify(text)} is refused, whatever is asked for`, async (t) => {
    const path = fileIn(t);
    writeFileSync(path, text, { mode: 0o600 });
    for (const asked of [undefined, 'istio'] as const) {
      await assert.rejects(keepDefaults(path, asked), { code: 'BAD_CONFIGURATION', message: /mesh\.json/ });
    }
  });
}
