import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { describeViolation, kinds, validateObject } from '@weft/resources';
import { conformanceData } from '@weft/testkit';
import { pathText, sampleOf, withValueAt } from '../crds/crd-samples.ts';
import { type CrdSchema, readCrds, walkSchema } from '../crds/crds.ts';

const { folder, skip } = conformanceData('istio/crds');

/** For each rule of the CRDs, by its message, values that break it at the place where it stands. */
const breaking: Readonly<Record<string, readonly unknown[]>> = {
  'Address is required': [{}, { ports: { http: 80 } }],
  'UDS may not include ports': [{ address: 'unix://@a', ports: { http: 80 } }],
  'UDS must be an absolute path or abstract socket': ['unix://a', 'unix://'],
  'UDS may not be a dir': ['unix:///a/'],
  'port name must be valid': [{ '@': 80 }, { '-a': 80 }, { ['a'.repeat(63)]: 80 }],
  'port must be between 1-65535': [0, 65_536],
  'scheme must be one of [HTTP, HTTPS]': ['FTP'],
  'only one of WorkloadSelector or Endpoints can be set': [
    { hosts: ['a.com'], resolution: 'STATIC', workloadSelector: {}, endpoints: [{ address: '1.2.3.4' }] },
  ],
  'CIDR addresses are allowed only for NONE/STATIC resolution types': [
    { hosts: ['a.com'], resolution: 'DNS', addresses: ['10.0.0.0/8'] },
  ],
  'NONE mode cannot set endpoints': [{ hosts: ['a.com'], endpoints: [] }],
  'DNS_ROUND_ROBIN mode cannot have multiple endpoints': [
    { hosts: ['a.com'], resolution: 'DNS_ROUND_ROBIN', endpoints: [{ address: 'a.com' }, { address: 'b.com' }] },
  ],
  'hostname cannot be wildcard': ['*'],
  'port number cannot be duplicated': [
    [
      { name: 'a', number: 1 },
      { name: 'b', number: 1 },
    ],
  ],
  'wildcard is not supported in selector': ['a*'],
  'portLevelMtls requires selector': [
    { portLevelMtls: { 80: { mode: 'STRICT' } } },
    { portLevelMtls: { 80: { mode: 'STRICT' } }, selector: { matchLabels: {} } },
  ],
  'wildcard not allowed in label key match': [{ 'a*': 'b' }],
  'key must not be empty': [{ '': 'b' }],
  'wildcard not allowed in label value match': ['a*'],
  'only one of credentialNames or tlsCertificates can be set': [{ credentialNames: ['a'], tlsCertificates: [{}] }],
  'only one of credentialName or credentialNames can be set': [{ credentialName: 'a', credentialNames: ['b'] }],
  // The CRD's rule of this message compares credentialNames, as the first one does.
  'only one of credentialName or tlsCertificates can be set': [{ credentialNames: ['a'], tlsCertificates: [{}] }],
  'must be a valid duration greater than 1ms': ['0s', '999us', '-1s', '5', 'soon', ''],
};

/** Messages of ours that say the same in other words. */
const ourWords: Readonly<Record<string, string>> = {
  'port number cannot be duplicated': 'is there more than once',
  'only one of credentialName or tlsCertificates can be set':
    'only one of credentialNames or tlsCertificates can be set',
};

const served = kinds.filter(({ group }) => group.endsWith('.istio.io'));

function eachSchema(visit: (kind: string, root: CrdSchema, schema: CrdSchema, path: readonly string[]) => void): void {
  for (const crd of readCrds(join(folder, 'customresourcedefinitions.gen.yaml'))) {
    const { group, names, versions } = crd.spec;
    const version = versions[0];
    if (version !== undefined && served.some((kind) => kind.group === group && kind.kind === names.kind)) {
      const root = version.schema.openAPIV3Schema;
      walkSchema(root, (schema, path) => visit(`${group}/${version.name} ${names.kind}`, root, schema, path));
    }
  }
}

function judge(kind: string, body: unknown): string[] {
  const [apiVersion, name] = kind.split(' ');
  const { violations } = validateObject({ apiVersion, kind: name, metadata: { name: 'a' }, ...(body as object) });
  return (violations ?? []).map(describeViolation);
}

/** A value for port maps whose rule is about keys. */
function valuesFor(message: string, schema: CrdSchema): readonly unknown[] {
  return message === 'port must be between 1-65535' && schema.type === 'object'
    ? [{ 0: { mode: 'STRICT' } }, { 65536: { mode: 'STRICT' } }]
    : (breaking[message] ?? []);
}

test('every rule of the CRDs refuses what breaks it, with its reason, at its place', { skip }, () => {
  let rules = 0;
  const unbroken: string[] = [];
  eachSchema((kind, root, schema, path) => {
    for (const { message } of schema['x-kubernetes-validations'] ?? []) {
      const values = valuesFor(message, schema);
      assert.ok(values.length > 0, `no value breaks the rule ${message}`);
      for (const value of values) {
        rules += 1;
        const lines = judge(kind, withValueAt(root, path, value));
        const wanted = ourWords[message] ?? message;
        if (!lines.some((line) => line.startsWith(pathText(path)) && line.includes(wanted))) {
          unbroken.push(`${kind} ${pathText(path)} = ${JSON.stringify(value)}: ${message}\n  ${lines.join('\n  ')}`);
        }
      }
    }
  });
  assert.deepEqual(unbroken, []);
  assert.ok(rules > 300, `${rules} values`);
});

/** Fields of which only one may be set, from `oneOf: [{not: …}, {required: [a]}, {required: [b]}]`. */
function choicesOf(schema: CrdSchema): string[][] {
  const groups = [schema.oneOf, ...(schema.allOf ?? []).map(({ oneOf }) => oneOf)];
  return groups
    .map((group) => (group ?? []).flatMap(({ required }) => required ?? []))
    .filter(({ length }) => length > 1);
}

test('where the CRDs allow one field of several, two are refused', { skip }, () => {
  let choices = 0;
  const missed: string[] = [];
  eachSchema((kind, root, schema, path) => {
    for (const fields of choicesOf(schema)) {
      for (const second of fields.slice(1)) {
        choices += 1;
        const pair = [fields[0] ?? '', second].map((name) => [name, sampleOf(schema.properties?.[name] ?? {}, name)]);
        const lines = judge(kind, withValueAt(root, path, Object.fromEntries(pair)));
        const place = `${pathText(path)}.${second}: Conflict: only one of`;
        if (!lines.some((line) => line.startsWith(place))) {
          missed.push(`${kind} ${place}\n  ${lines.join('\n  ')}`);
        }
      }
    }
  });
  assert.deepEqual(missed, []);
  assert.ok(choices >= 44, `${choices} pairs`);
});
