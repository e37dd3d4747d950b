import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeViolation, validateChange, validateObject } from '@weft/resources';
import { pathText, withValueAt } from '../crds/crd-samples.ts';
import { type CrdSchema, walkSchema } from '../crds/crds.ts';
import { brokenRules } from './broken-rules.ts';
import { crdsOf, group, kindOf, notServed, skip } from './crd-files.ts';

/** Rules that compare with the object as it was; they have a test of their own. */
const ofChanges = new Set(['Value is immutable']);

function eachRule(
  visit: (kind: string, root: CrdSchema, schema: CrdSchema, path: readonly string[], message: string) => void,
): void {
  for (const { spec } of crdsOf('experimental').filter((crd) => !notServed.includes(crd.spec.names.kind))) {
    const root = spec.versions[0]?.schema.openAPIV3Schema ?? {};
    walkSchema(root, (schema, path) => {
      for (const { message } of schema['x-kubernetes-validations'] ?? []) {
        visit(spec.names.kind, root, schema, path, message);
      }
    });
  }
}

function judge(kind: string, body: unknown): string[] {
  const apiVersion = `${group}/${kindOf(kind).versions[0]}`;
  const { violations } = validateObject({ apiVersion, kind, metadata: { name: 'a' }, ...(body as object) });
  return (violations ?? []).map(describeViolation);
}

test('every rule of the CRDs refuses what breaks it, at its place, and lets pass what keeps it', { skip }, () => {
  let rules = 0;
  let values = 0;
  const wrong: string[] = [];
  const seen = new Set<string>();
  eachRule((kind, root, _schema, path, message) => {
    if (ofChanges.has(message)) {
      return;
    }
    rules += 1;
    seen.add(message);
    const cases = brokenRules[message];
    assert.ok(cases, `${kind} ${pathText(path)}: nothing breaks the rule ${message}`);
    const place = pathText(path);
    for (const { bad, good = [], says } of cases) {
      values += 1;
      const lines = judge(kind, withValueAt(root, path, bad));
      if (!lines.some((line) => line.startsWith(place) && line.includes(says))) {
        wrong.push(`${kind} ${place} = ${JSON.stringify(bad).slice(0, 300)}: ${message}\n  ${lines.join('\n  ')}`);
      }
      for (const value of good) {
        const others = judge(kind, withValueAt(root, path, value)).filter(
          (line) => line.startsWith(place) && line.includes(says),
        );
        if (others.length > 0) {
          wrong.push(`${kind} ${place} = ${JSON.stringify(value)} keeps the rule\n  ${others.join('\n  ')}`);
        }
      }
    }
  });
  assert.deepEqual(wrong, []);
  assert.deepEqual(
    Object.keys(brokenRules).filter((message) => !seen.has(message)),
    [],
    'no such rules',
  );
  assert.ok(rules >= 170 && values >= 200, `${rules} rules, ${values} values`);
});

test('what the CRDs make immutable is', { skip }, () => {
  const places: string[] = [];
  eachRule((kind, _root, _schema, path, message) => {
    if (ofChanges.has(message)) {
      places.push(`${kind} ${pathText(path)}`);
    }
  });
  assert.deepEqual(places, ['GatewayClass spec.controllerName']);
  const gatewayClass = (controllerName: string) => ({
    apiVersion: `${group}/v1`,
    kind: 'GatewayClass',
    metadata: { name: 'a' },
    spec: { controllerName },
  });
  const lines = validateChange(gatewayClass('a.com/b'), gatewayClass('a.com/a')).map(describeViolation);
  assert.deepEqual(lines, ['spec.controllerName: Forbidden: it is a.com/a and cannot be changed']);
});
