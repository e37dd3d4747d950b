import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { conformanceData } from '@weft/testkit';
import { ConformanceMesh } from './conformance-mesh.ts';
import { conformanceTests } from './conformance-tests.ts';
import { runTest } from './run-test.ts';

const { folder, skip } = conformanceData('gateway-api');
const only = process.env['WEFT_CONFORMANCE_ONLY'];
const tests =
  skip === false
    ? conformanceTests(folder).filter(({ name }) => only === undefined || new RegExp(only).test(name))
    : [];

let mesh: ConformanceMesh;

before(async () => {
  if (skip === false) {
    mesh = await ConformanceMesh.start(folder, process.env['WEFT_CONFORMANCE_ENGINE'] ?? 'weft');
  }
});

after(async () => {
  await mesh?.stop();
});

test('the data is there', { skip }, () => {
  assert.ok(tests.length > 0);
});

for (const each of tests) {
  test(`${each.name}: ${each.cases.length} cases, ${each.statusExpectations.length} sentences on the status`, async () => {
    const failures = await runTest(mesh, each);
    assert.deepEqual(Object.fromEntries(failures), {});
  });
}
