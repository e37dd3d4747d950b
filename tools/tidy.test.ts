import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { type Finding, tidy } from './tidy.ts';

/** Runs tidy over a tree made of `files`. */
function findingsOf(files: Readonly<Record<string, string>>): readonly Finding[] {
  const root = mkdtempSync(join(tmpdir(), 'weft-tidy-'));
  try {
    for (const [file, text] of Object.entries({ 'docs/dependencies.md': '', ...files })) {
      mkdirSync(join(root, dirname(file)), { recursive: true });
      writeFileSync(join(root, file), text);
    }
    return tidy(root).findings;
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

const planted: readonly {
  readonly rule: string;
  readonly files: Readonly<Record<string, string>>;
  readonly expected: RegExp;
}[] = [
  {
    rule: 'an import against the arrows',
    files: { 'packages/xds-server/src/a.ts': "import { kinds } from '@weft/resources';\n" },
    expected: /xds-server may not import resources/,
  },
  {
    rule: 'an import over several lines against the arrows',
    files: { 'packages/ir/src/a.ts': "import {\n  kinds,\n} from '@weft/resources';\n" },
    expected: /ir may not import resources/,
  },
  {
    rule: 'a type import against the arrows',
    files: { 'packages/http-codec/src/a.ts': "import type { Kind } from '@weft/resources';\n" },
    expected: /http-codec may not import resources/,
  },
  {
    rule: 'an import past the door',
    files: { 'packages/sources/src/a.ts': "import { x } from '@weft/base/src/drain.ts';\n" },
    expected: /by its door/,
  },
  {
    rule: 'a relative import out of the package',
    files: { 'packages/sources/src/a.ts': "import { x } from '../../base/src/drain.ts';\n" },
    expected: /reaches out of the package/,
  },
  {
    rule: 'testkit in product code',
    files: { 'packages/cli/src/a.ts': "import { x } from '@weft/testkit';\n" },
    expected: /only tests import testkit/,
  },
  {
    rule: 'an import cycle',
    files: {
      'packages/base/src/a.ts': "import { b } from './b.ts';\n",
      'packages/base/src/b.ts': "import { a } from './a.ts';\n",
    },
    expected: /import cycle: packages\/base\/src\/a\.ts → packages\/base\/src\/b\.ts → packages\/base\/src\/a\.ts/,
  },
  {
    rule: 'an over-long file',
    files: { 'packages/base/src/a.ts': 'export const x = 1;\n'.repeat(800) },
    expected: /more than 700/,
  },
  {
    rule: 'console in a library',
    files: { 'packages/base/src/a.ts': "console.log('x');\n" },
    expected: /injected Logger/,
  },
  {
    rule: 'chance in translation',
    files: { 'packages/translate/src/a.ts': 'const x = Math.random();\n' },
    expected: /pure/,
  },
  {
    rule: 'an unverified TLS peer',
    files: { 'packages/cli/src/a.ts': 'const o = { rejectUnauthorized: false };\n' },
    expected: /always verified/,
  },
  {
    rule: 'process.exit outside an entry',
    files: { 'packages/proxy/src/a.ts': 'process.exit(1);\n' },
    expected: /program entry/,
  },
  {
    rule: 'an undocumented dependency',
    files: { 'package.json': '{ "dependencies": { "left-pad": "1.3.0" } }' },
    expected: /left-pad has no line/,
  },
  {
    rule: 'a dependency that is not pinned',
    files: { 'package.json': '{ "dependencies": { "left-pad": "^1.3.0" } }', 'docs/dependencies.md': '`left-pad`' },
    expected: /not pinned/,
  },
  { rule: 'an unknown package', files: { 'packages/misc/src/a.ts': 'export {};\n' }, expected: /no row in the table/ },
];

for (const { rule, files, expected } of planted) {
  test(`tidy finds ${rule}`, () => {
    const messages = findingsOf(files).map(({ message }) => message);
    assert.ok(
      messages.some((message) => expected.test(message)),
      `nothing matches ${expected} in ${JSON.stringify(messages)}`,
    );
  });
}

test('tidy is quiet about code that follows the rules', () => {
  const files = {
    'packages/translate/src/a.ts': "import { invariant } from '@weft/base';\nimport { b } from './b.ts';\n",
    'packages/translate/src/b.ts': 'export const b = 1;\n',
    'packages/translate/src/a.test.ts': "import { seededRandom } from '@weft/testkit';\nimport { a } from './a.ts';\n",
  };
  assert.deepEqual(findingsOf(files), []);
});
