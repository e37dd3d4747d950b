import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { checkManifests, readManifests, withPlaces } from './read-manifests.ts';
import { unifiedDiff } from './text-diff.ts';

let folder = '';
const good = 'apiVersion: v1\nkind: Namespace\nmetadata:\n  name: a\n';

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'weft-manifests-'));
  mkdirSync(join(folder, 'sub'));
  writeFileSync(join(folder, 'b.yaml'), good);
  writeFileSync(join(folder, 'notes.txt'), 'not a manifest');
  writeFileSync(
    join(folder, 'sub/a.json'),
    '{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"}}]}',
  );
});

after(() => rmSync(folder, { recursive: true, force: true }));

test('folders are read with their sub-folders, in order; other files are left alone', () => {
  const objects = readManifests(['.'], folder);
  assert.deepEqual(
    objects.map(({ file, object }) => `${file} ${object.kind}`),
    ['b.yaml Namespace', 'sub/a.json ConfigMap'],
  );
});

test('every mistake of every file comes back at once, with line and column', () => {
  const input = `${good}---\napiVersion: v1\nkind: Service\nmetadata: {name: x}\nspec:\n  prots: []\n---\na: [\n`;
  const { violations, files } = checkManifests(['-', 'b.yaml'], folder, input);
  assert.equal(files, 2);
  assert.ok(violations.some((entry) => entry.code === 'UnknownField' && entry.line === 10 && entry.column === 3));
  assert.ok(violations.some((entry) => entry.code === 'MalformedDocument'));
  assert.throws(() => readManifests(['-'], folder, input), { name: 'CliFailure' });
});

test('what does not exist is a mistake of the command line', () => {
  assert.throws(() => readManifests(['none.yaml'], folder), /no file or folder none\.yaml/);
});

test('what the server says about a field is shown where the field stands in the file', () => {
  const [source] = readManifests(['b.yaml'], folder);
  assert.ok(source !== undefined);
  const report = withPlaces(
    {
      what: 'refused',
      exitCode: 2,
      violations: [{ path: 'metadata.name', code: 'FieldValueInvalid', message: 'no', fix: '' }],
    },
    source,
  );
  assert.equal(report.where, 'b.yaml');
  assert.deepEqual([report.violations?.[0]?.line, report.violations?.[0]?.file], [4, 'b.yaml']);
});

test('differences are shown as a unified diff with three lines around them', () => {
  assert.equal(unifiedDiff('a\n', 'a\n', ['x', 'y']), '');
  const before = ['1', '2', '3', '4', '5', '6', '7', '8', '9'].join('\n');
  assert.equal(
    unifiedDiff(`${before}\n`, `${before.replace('5', 'five')}\n`, ['x', 'y']),
    '--- x\n+++ y\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n',
  );
  assert.equal(unifiedDiff('', 'a\n', ['x', 'y']), '--- x\n+++ y\n@@ -0,0 +1,1 @@\n+a\n');
});
