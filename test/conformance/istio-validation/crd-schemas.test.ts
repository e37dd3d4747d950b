import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { type KindDeclaration, kinds, openApiSchema } from '@weft/resources';
import { conformanceData } from '@weft/testkit';
import { type CrdSchema, readCrds } from './crds.ts';

const { folder, skip } = conformanceData('istio/crds');

const portRule = 'port must be between 1-65535';

/** What is compared of a schema; the rest is walked. */
const keywords = [
  ...['type', 'format', 'pattern', 'minimum', 'maximum', 'minLength', 'maxLength', 'minItems', 'maxItems'],
  ...['minProperties', 'maxProperties', 'x-kubernetes-int-or-string', 'x-kubernetes-preserve-unknown-fields'],
  ...['x-kubernetes-list-type', 'x-kubernetes-list-map-keys'],
] as const;

const int32Range = { minimum: -2_147_483_648, maximum: 2_147_483_647 };

/** The CRD's schema as ours would say it. */
function expected(crd: CrdSchema): CrdSchema {
  const isPort = crd['x-kubernetes-validations']?.some(({ message }) => message === portRule) === true;
  if (isPort && crd.type === 'integer') {
    // The rule is a bound, and we write it as one.
    return { ...crd, minimum: 1, maximum: 65_535 };
  }
  // The range of the format goes without saying in a CRD.
  return crd.format === 'int32' ? { ...int32Range, ...crd } : crd;
}

function compare(crd: CrdSchema, ours: CrdSchema | undefined, path: string, differences: string[]): number {
  if (ours === undefined) {
    differences.push(`${path}: missing`);
    return 0;
  }
  const wanted = expected(crd);
  for (const keyword of keywords) {
    if (JSON.stringify(wanted[keyword]) !== JSON.stringify(ours[keyword])) {
      differences.push(
        `${path}: ${keyword} is ${JSON.stringify(ours[keyword])}, not ${JSON.stringify(wanted[keyword])}`,
      );
    }
  }
  for (const keyword of ['required', 'enum'] as const) {
    const [a, b] = [wanted[keyword], ours[keyword]].map((values) => [...(values ?? [])].sort().join());
    if (a !== b) {
      differences.push(`${path}: ${keyword} is ${b}, not ${a}`);
    }
  }
  const extra = Object.keys(ours.properties ?? {}).filter((name) => crd.properties?.[name] === undefined);
  differences.push(...extra.map((name) => `${path}.${name}: not in the CRD`));
  let fields = 1;
  for (const [name, child] of Object.entries(crd.properties ?? {})) {
    fields += compare(child, ours.properties?.[name], `${path}.${name}`, differences);
  }
  if (crd.items !== undefined) {
    fields += compare(crd.items, ours.items, `${path}[]`, differences);
  }
  if (typeof crd.additionalProperties === 'object') {
    fields += compare(crd.additionalProperties, ours.additionalProperties, `${path}{}`, differences);
  } else if (ours.additionalProperties !== undefined) {
    differences.push(`${path}: a map, not an object with fields`);
  }
  return fields;
}

const istioKinds = kinds.filter(({ group }) => group.endsWith('.istio.io'));

test('every kind of Istio has every field of its CRD, with the same type and bounds', { skip }, () => {
  const crds = readCrds(join(folder, 'customresourcedefinitions.gen.yaml'));
  const differences: string[] = [];
  let fields = 0;
  for (const kind of istioKinds) {
    const crd = crds.find(({ spec }) => spec.names.kind === kind.kind && spec.group === kind.group);
    assert.ok(crd, `${kind.kind} has no CRD`);
    for (const version of crd.spec.versions) {
      const schema = version.schema.openAPIV3Schema;
      const ours: CrdSchema = openApiSchema(kind, version.name);
      differences.push(...differencesInRequired(kind, schema, ours));
      for (const part of ['spec', 'status']) {
        fields += compare(
          schema.properties?.[part] ?? {},
          ours.properties?.[part],
          `${kind.kind}.${part}`,
          differences,
        );
      }
    }
  }
  assert.deepEqual([...new Set(differences)], []);
  assert.ok(fields > 2000, `${fields} fields compared`);
});

function differencesInRequired(kind: KindDeclaration, crd: CrdSchema, ours: CrdSchema): string[] {
  const [a, b] = [crd.required, ours.required].map((names) => [...(names ?? [])].sort().join());
  return a === b ? [] : [`${kind.kind}: required is ${b}, not ${a}`];
}

test('every kind of Istio is served under the names and versions of its CRD', { skip }, () => {
  const crds = readCrds(join(folder, 'customresourcedefinitions.gen.yaml'));
  for (const kind of istioKinds) {
    const spec = crds.find((crd) => crd.spec.names.kind === kind.kind && crd.spec.group === kind.group)?.spec;
    assert.ok(spec);
    const { plural, singular, shortNames = [], categories = [] } = spec.names;
    assert.deepEqual(
      [kind.plural, kind.singular, kind.shortNames, kind.categories, kind.namespaced, kind.hasStatus],
      [
        plural,
        singular,
        shortNames,
        categories,
        spec.scope === 'Namespaced',
        spec.versions[0]?.subresources?.status !== undefined,
      ],
    );
    assert.equal(kind.versions[0], spec.versions.find(({ storage }) => storage)?.name);
    assert.deepEqual([...kind.versions].sort(), spec.versions.map(({ name }) => name).sort());
  }
});

test('a difference that is planted is found', () => {
  const differences: string[] = [];
  compare(
    { type: 'object', required: ['a'], properties: { a: { type: 'string', maxLength: 3 }, b: { type: 'integer' } } },
    { type: 'object', properties: { a: { type: 'string' }, c: { type: 'integer' } } },
    'spec',
    differences,
  );
  assert.deepEqual(differences, [
    'spec: required is , not a',
    'spec.c: not in the CRD',
    'spec.a: maxLength is undefined, not 3',
    'spec.b: missing',
  ]);
});
