import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kinds, openApiSchema } from '@weft/resources';
import { type CompareOptions, compareSchemas } from '../crds/compare-schemas.ts';
import { crdsOf, group, kindOf, notServed, skip } from './crd-files.ts';

const otherPatterns = {
  // Values of header fields: only the experimental channel asks for this, and it takes exponential time to refuse some texts.
  '^[!-~]+([\\t ]?[!-~]+)*$': undefined,
  // The same with one escape less.
  '(^\\*$)|(^(http(s)?):\\/\\/(((\\*\\.)?([a-zA-Z0-9\\-]+\\.)*[a-zA-Z0-9-]+|\\*)(:([0-9]{1,5}))?)$)':
    '(^\\*$)|(^(http(s)?):\\/\\/(((\\*\\.)?([a-zA-Z0-9-]+\\.)*[a-zA-Z0-9-]+|\\*)(:([0-9]{1,5}))?)$)',
};

/** TLSRoute v1alpha2 allowed more: no hostnames, several rules. It is served with the schema of v1, which is what is stored. */
const laxVersions: readonly string[] = ['TLSRoute v1alpha2'];

function differencesFrom(channel: 'standard' | 'experimental', options: CompareOptions): [string[], number] {
  const differences: string[] = [];
  let fields = 0;
  for (const { spec } of crdsOf(channel).filter((crd) => !notServed.includes(crd.spec.names.kind))) {
    const kind = kindOf(spec.names.kind);
    for (const version of spec.versions.filter(({ name }) => !laxVersions.includes(`${kind.kind} ${name}`))) {
      const crd = version.schema.openAPIV3Schema;
      const ours = openApiSchema(kind, version.name);
      const [a, b] = [crd.required, ours.required].map((names) => [...(names ?? [])].sort().join());
      if (a !== b) {
        differences.push(`${kind.kind}: required is ${b}, not ${a}`);
      }
      for (const part of ['spec', 'status']) {
        const child = crd.properties?.[part];
        if (child !== undefined) {
          fields += compareSchemas(child, ours.properties?.[part], `${kind.kind}.${part}`, differences, options);
        } else if (ours.properties?.[part] !== undefined) {
          differences.push(`${kind.kind}.${part}: not in the CRD`);
        }
      }
    }
  }
  return [[...new Set(differences)], fields];
}

test('every kind has every field of its experimental CRD, with the same type, bounds, pattern and default', {
  skip,
}, () => {
  const [differences, fields] = differencesFrom('experimental', { otherPatterns });
  assert.deepEqual(differences, []);
  assert.ok(fields >= 1195, `${fields} fields compared`);
});

test('nothing of the standard channel is missing', { skip }, () => {
  const [differences, fields] = differencesFrom('standard', { otherPatterns, extrasAllowed: true });
  assert.deepEqual(differences, []);
  assert.ok(fields >= 1041, `${fields} fields compared`);
});

test('every kind is served under the names and versions of its CRD', { skip }, () => {
  const crds = crdsOf('experimental').filter(({ spec }) => !notServed.includes(spec.names.kind));
  for (const { spec } of crds) {
    const kind = kindOf(spec.names.kind);
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
      kind.kind,
    );
    const served = spec.versions.filter((version) => version.served).map(({ name }) => name);
    assert.deepEqual([...kind.versions].sort(), served.sort(), kind.kind);
    const deprecated = spec.versions.filter((version) => version.deprecated === true).map(({ name }) => name);
    assert.deepEqual([...(kind.deprecatedVersions ?? [])].sort(), deprecated.sort(), kind.kind);
    // The CRD of ReferenceGrant stores v1beta1; the versions are equal, and clients prefer v1 all the same.
    assert.ok(kind.versions[0] === 'v1' || served.length === 1, kind.kind);
  }
  const declared = kinds.filter((kind) => kind.group === group).map(({ kind }) => kind);
  assert.deepEqual(declared.sort(), crds.map(({ spec }) => spec.names.kind).sort());
});

test('kubectl get shows the columns of the CRDs', { skip }, () => {
  for (const { spec } of crdsOf('experimental').filter((crd) => !notServed.includes(crd.spec.names.kind))) {
    const wanted = (spec.versions[0]?.additionalPrinterColumns ?? []).map(({ name, type, priority = 0 }) => [
      name,
      type,
      priority,
    ]);
    const ours = kindOf(spec.names.kind).columns.map(({ name, type, priority }) => [name, type, priority]);
    assert.deepEqual(ours, wanted, spec.names.kind);
  }
});
