import assert from 'node:assert/strict';
import { test } from 'node:test';
import { violationsMax } from '../violation.ts';
import { nestingMax } from './check-nodes.ts';
import { documentSizeMaxBytes, manifestSizeMaxBytes, parseManifest } from './parse-manifest.ts';

/** Each violation as `line:column path CODE message`. */
function problems(text: string): string[] {
  return (parseManifest(text).violations ?? []).map(
    ({ line, column, path, code, message }) => `${line}:${column} ${path} ${code} ${message}`,
  );
}

function field(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((at, step) => (at as Record<string, unknown> | undefined)?.[step], value);
}

const account = (name: string): string => `apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: ${name}\n`;

test('documents come back in order, as written, with their positions', () => {
  const { objects } = parseManifest(`# a comment\n${account('a')}---\n---\n${account('b')}`, { file: 'x.yaml' });
  assert.deepEqual(
    objects?.map(({ object, file, line, column }) => [object.metadata.name, file, line, column]),
    [
      ['a', 'x.yaml', 2, 1],
      ['b', 'x.yaml', 8, 1],
    ],
  );
  assert.deepEqual(objects?.[1]?.position('metadata.name'), { line: 11, column: 9 });
});

test('JSON is read as well', () => {
  const { objects } = parseManifest('{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"a"}}');
  assert.equal(objects?.[0]?.object.metadata.name, 'a');
});

test('nothing is no object and no mistake', () => {
  assert.deepEqual(parseManifest(''), { objects: [] });
  assert.deepEqual(parseManifest('---\n# only a comment\n'), { objects: [] });
});

test('each violation names its line and column', () => {
  assert.deepEqual(
    problems(`apiVersion: v1
kind: Service
metadata:
  name: Reviews
spec:
  selectr: {}
  ports:
    - port: 99999
`),
    [
      '8:13 spec.ports[0].port FieldValueInvalid 99999: port must be between 1-65535',
      '6:3 spec.selectr UnknownField unknown field "selectr", did you mean "selector"?',
      '4:9 metadata.name FieldValueInvalid "Reviews": not a valid name',
    ],
  );
});

test('a missing field is reported at the object that lacks it', () => {
  assert.deepEqual(
    problems(`kind: DestinationRule
apiVersion: networking.istio.io/v1
metadata: { name: a }
spec:
  exportTo: ["."]
`),
    ['5:3 spec.host FieldValueRequired the field is missing'],
  );
});

test('a duplicate key is reported beside everything else', () => {
  assert.deepEqual(problems(`${account('a')}  labels: { x: a, x: b }\nautomountServiceAccountToken: maybe\n`), [
    '5:19 metadata.labels.x DuplicateKey the key "x" is there already',
    '6:31 automountServiceAccountToken FieldValueTypeInvalid must be true or false, not the string "maybe"',
  ]);
});

test('malformed YAML names the place, and the other documents are still looked at', () => {
  const found = problems(`a: [1\nb: 2\n---\n${account('A')}`);
  assert.match(found[0] ?? '', /^2:1 {2}MalformedDocument Flow sequence/);
  assert.match(found.at(-1) ?? '', /^7:9 metadata\.name/);
});

test('an alias without anchor is refused', () => {
  assert.match(problems(`${account('a')}secrets: *nowhere\n`)[0] ?? '', /MalformedDocument Unresolved alias/);
});

test('a bomb of aliases is refused', () => {
  const levels = Array.from(
    { length: 12 },
    (_, at) => `x${at + 1}: &x${at + 1} [${Array(10).fill(`*x${at}`).join(', ')}]`,
  );
  assert.match(problems(`x0: &x0 [1]\n${levels.join('\n')}\n`)[0] ?? '', /MalformedDocument Excessive alias count/);
});

test('endless nesting is refused', () => {
  assert.match(problems('[\n'.repeat(nestingMax + 1) + ']'.repeat(nestingMax + 1))[0] ?? '', /TooLarge more than 64/);
  assert.match(problems(`${'['.repeat(200_000)}${']'.repeat(200_000)}`)[0] ?? '', /TooLarge/);
});

test('a document of more than 2 MB is refused, the one beside it is not looked over', () => {
  const found = problems(`${account('a')}# ${'x'.repeat(documentSizeMaxBytes)}\n---\n${account('B')}`);
  assert.match(found[0] ?? '', /^1:1 {2}TooLarge the document has \d+ bytes/);
  assert.match(found[1] ?? '', /metadata\.name/);
});

test('a manifest beyond its limit is refused unread', () => {
  assert.match(problems('#'.repeat(manifestSizeMaxBytes + 1))[0] ?? '', /TooLarge the manifest has/);
});

test('what YAML 1.1 and 1.2 read differently is refused', () => {
  assert.deepEqual(problems(`${account('a')}automountServiceAccountToken: yes\n`), [
    '5:31 automountServiceAccountToken FieldValueInvalid yes means one thing to YAML 1.1 and another to YAML 1.2',
  ]);
  assert.match(problems(`${account('a')}  labels: { x: 010 }\n`)[0] ?? '', /010 means one thing/);
  assert.deepEqual(problems(`${account('a')}  labels: { x: "yes" }\n`), []);
});

test('tags other than those of JSON are refused', () => {
  assert.match(problems(`${account('a')}  labels: { x: !!binary eA== }\n`)[0] ?? '', /the tag .*binary is not one/);
  assert.match(problems(`${account('a')}  labels: { x: !secret eA== }\n`)[0] ?? '', /the tag !secret/);
});

test('keys that are no words are refused, numbers are words', () => {
  assert.match(problems(`${account('a')}  labels: { ? [a] : b }\n`)[0] ?? '', /a key is a word/);
  assert.deepEqual(
    problems(`apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: a }
spec:
  selector: { matchLabels: { app: a } }
  portLevelMtls:
    8080: { mode: DISABLE }
    0: { mode: DISABLE }
`),
    ['8:8 spec.portLevelMtls[0] FieldValueInvalid "0": port must be between 1-65535'],
  );
});

test('an address that ends in colons is text in a list', () => {
  const { objects, violations } = parseManifest(`apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: a }
spec:
  hosts: [a.example.com]
  addresses: [1.2.3.4, 001:db8::, "fe80::"]
`);
  assert.deepEqual(violations, undefined);
  assert.deepEqual(field(objects?.[0]?.object, 'spec', 'addresses'), ['1.2.3.4', '001:db8::', 'fe80::']);
});

test('Lists are unfolded, with paths and positions of their items', () => {
  const list = `apiVersion: v1
kind: List
items:
  - apiVersion: v1
    kind: ServiceAccount
    metadata: { name: a }
  - apiVersion: v1
    kind: ServiceAccount
    metadata: { name: B }
`;
  assert.deepEqual(problems(list), ['9:23 items[1].metadata.name FieldValueInvalid "B": not a valid name']);
  const { objects } = parseManifest(list.replace('B', 'b'));
  assert.deepEqual(
    objects?.map(({ object, line }) => [object.metadata.name, line]),
    [
      ['a', 4],
      ['b', 7],
    ],
  );
});

test('a typed list gives its items the kind', () => {
  const { objects } = parseManifest(
    'apiVersion: v1\nkind: ServiceAccountList\nmetadata: {resourceVersion: "1"}\nitems: [{metadata: {name: a}}]\n',
  );
  assert.deepEqual(
    objects?.map(({ object }) => `${object.apiVersion}/${object.kind}/${object.metadata.name}`),
    ['v1/ServiceAccount/a'],
  );
});

test('merge keys are merged', () => {
  const { objects } = parseManifest(
    `${account('a')}  labels: &l { x: a }\n---\napiVersion: v1\nkind: Service\nmetadata: { name: a }\nspec:\n  ports: [{port: 1}]\n  selector: { <<: {y: b}, x: a }\n`,
  );
  assert.deepEqual(field(objects?.[1]?.object, 'spec', 'selector'), {
    y: 'b',
    x: 'a',
  });
});

test('a flood of mistakes is cut off, quickly', () => {
  const flood = (line: (index: number) => string): number =>
    problems(
      `${account('a')}  labels:\n${Array.from({ length: 20_000 }, (_, index) => `    ${line(index)}\n`).join('')}`,
    ).length;
  assert.equal(
    flood((index) => `k${index}: yes`),
    violationsMax + 1,
  );
  assert.equal(
    flood(() => 'k: a'),
    violationsMax + 1,
  );
  assert.equal(
    flood((index) => `"k ${index}": a`),
    violationsMax + 1,
  );
});
