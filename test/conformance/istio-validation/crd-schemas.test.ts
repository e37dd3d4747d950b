import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { type KindDeclaration, kinds, openApiSchema } from '@weft/resources';
import { conformanceData } from '@weft/testkit';
import { compareSchemas } from '../crds/compare-schemas.ts';
import { type CrdSchema, readCrds } from '../crds/crds.ts';

const { folder, skip } = conformanceData('istio/crds');

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
        fields += compareSchemas(
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
