import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseManifest } from './manifest/parse-manifest.ts';
import { type OpenApiSchema, openApiSchema } from './openapi/open-api-schema.ts';
import { kinds } from './registry.ts';
import { validateChange, validateObject, warningsFor } from './validate-object.ts';
import type { Violation } from './violation.ts';

/** Values that stand where others belong. */
const odd = fc.oneof(
  fc.constantFrom<unknown>(null, '', 0, -1, 1e300, true, [], {}, '*', 'unix://', '1.2.3.4', 'a b', '__proto__', 'None'),
  fc.jsonValue({ maxDepth: 2 }),
);

/** Objects that follow a schema, mostly. */
function arbitraryOf(schema: OpenApiSchema): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 30, arbitrary: valueArbitrary(schema) }, { weight: 1, arbitrary: odd });
}

function valueArbitrary(schema: OpenApiSchema): fc.Arbitrary<unknown> {
  if (schema.enum !== undefined) {
    return fc.constantFrom(...schema.enum);
  }
  switch (schema.type) {
    case 'object': {
      if (schema.properties === undefined) {
        const value = schema.additionalProperties;
        return fc.dictionary(words, value === undefined ? odd : arbitraryOf(value), { maxKeys: 3 });
      }
      const fields = Object.entries(schema.properties).map(([name, field]) => [name, arbitraryOf(field)] as const);
      return fc.record(Object.fromEntries(fields), { requiredKeys: [...(schema.required ?? [])] });
    }
    case 'array':
      return fc.array(arbitraryOf(schema.items ?? {}), { maxLength: 3 });
    case 'integer':
      return fc.integer({ min: schema.minimum ?? 0, max: Math.min(schema.maximum ?? 100_000, 100_000) });
    case 'number':
      return fc.double({ min: 0, max: 100, noNaN: true });
    case 'boolean':
      return fc.boolean();
    default:
      return words;
  }
}

const words = fc.constantFrom(
  ...[
    'a',
    'reviews',
    'v1',
    '*.a.com',
    '5s',
    '0s',
    '80',
    '8080',
    'app',
    'eA==',
    '(a',
    'us/a/*',
    '.',
    '~',
    'mesh',
    'a/b',
  ],
  ...['HTTPS', 'TLS', 'TCP', 'Hostname', 'IPAddress', '127.0.0.1:80', './*', '~/*', '/a/b', 'URI', 'spiffe://a/b'],
  ...['10.0.0.0/8', '::1', '2026-01-31T12:00:00Z', 'http', 'HTTP', '5xx,503', ':path', 'x-a', 'A B', '', 'valueOf'],
);

function assertWellFormed(violations: readonly Violation[]): void {
  for (const { path, message, fix } of violations) {
    assert.ok(typeof path === 'string' && message.length > 3 && fix.length > 3, JSON.stringify({ path, message, fix }));
  }
}

for (const kind of kinds) {
  test(`${kind.group}/${kind.kind}: whatever comes is judged, with a message and a fix for each mistake`, () => {
    const [version = 'v1'] = kind.versions;
    const apiVersion = kind.group === '' ? version : `${kind.group}/${version}`;
    const { apiVersion: _version, kind: _kind, metadata = {}, ...body } = openApiSchema(kind).properties ?? {};
    const parts = Object.fromEntries(Object.entries(body).map(([name, part]) => [name, arbitraryOf(part)]));
    const objects = fc.record(
      {
        apiVersion: fc.constant(apiVersion),
        kind: fc.constant(kind.kind),
        metadata: fc.oneof(fc.constant({ name: 'a' }), arbitraryOf(metadata)),
        ...parts,
      },
      { requiredKeys: ['apiVersion', 'kind', 'metadata', ...(openApiSchema(kind).required ?? [])] as never[] },
    );
    fc.assert(
      fc.property(objects, (raw) => {
        const before = JSON.stringify(raw);
        const { object, violations } = validateObject(raw);
        assert.equal(JSON.stringify(raw), before, 'the input was changed');
        assertWellFormed(violations ?? []);
        if (object !== undefined) {
          assertWellFormed(warningsFor(object));
          assert.deepEqual(validateChange(object, object), []);
          // What was accepted with its defaults is accepted again, and stays the same.
          assert.deepEqual(validateObject(object), { object });
          for (const column of kind.columns) {
            column.value(object);
          }
        }
      }),
      { seed: 20_260_131, numRuns: 300 },
    );
  });
}

test('whatever text comes is read or refused', () => {
  const fragments = fc.constantFrom(
    ...[
      'a',
      ': ',
      '\n',
      '  ',
      '- ',
      '[',
      ']',
      '{',
      '}',
      '"',
      "'",
      '#',
      '&a ',
      '*a',
      '!!str ',
      '|',
      '>',
      '? ',
      '---\n',
      '\t',
      '...\n',
    ],
    ...[
      'apiVersion: v1\n',
      'kind: Service\n',
      'kind: List\n',
      'items:\n',
      'metadata:\n',
      '<<: ',
      '%YAML 1.1\n',
      '\u0000',
      '\ufeff',
    ],
  );
  const texts = fc.oneof(
    fc.string(),
    fc.array(fragments, { maxLength: 40 }).map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(texts, (text) => {
      const { violations } = parseManifest(text, { file: 'f' });
      assertWellFormed(violations ?? []);
      for (const { line = 0, column = 0, file } of violations ?? []) {
        assert.ok(line >= 1 && column >= 1 && file === 'f');
      }
    }),
    { seed: 20_260_131, numRuns: 3000 },
  );
});
