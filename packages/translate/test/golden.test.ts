import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { canonical, validate } from '@weft/ir';
import { stringify } from 'yaml';
import {
  clusterLoadAssignment,
  endpointNames,
  resourceStatus,
  virtualHostOnDemand,
  workloadIr,
  xdsFromIr,
} from '../src/index.ts';
import { readCase } from './golden/case.ts';
import { readable } from './golden/readable.ts';

const folder = resolve(import.meta.dirname, '../testdata');
const update = process.env['UPDATE_GOLDEN'] === '1';

function produce(
  path: string,
  order: 'as written' | 'reversed' = 'as written',
): { readonly ir: string; readonly xds: string } {
  const { question, state } = readCase(path, order);
  const irs: Record<string, unknown> = {};
  const xds: Record<string, unknown> = {};
  for (const key of question.proxies) {
    const ir = workloadIr(state, key, question.observed ?? []);
    assert.ok(ir !== undefined, `${path} has no Proxy ${key}`);
    assert.deepEqual(validate(ir), [], `the IR of ${key} is sound`);
    const endpoints = endpointNames(ir).map((name) => clusterLoadAssignment(state, key, name));
    irs[key] = canonical(ir);
    xds[key] = [...xdsFromIr(ir), ...endpoints].map((message) => {
      assert.ok(message.encode() instanceof Uint8Array);
      return readable(message);
    });
    for (const authority of question.onDemand ?? []) {
      const { known, message } = virtualHostOnDemand(state, key, authority);
      xds[`${key} asks for ${authority}`] = { known, ...(readable(message) as object) };
    }
  }
  const status = Object.fromEntries(
    [...resourceStatus(state)]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, { conditions }]) => [
        key,
        conditions.map(({ type, status: value, reason, message }) => `${type}=${value} ${reason}: ${message}`),
      ]),
  );
  // Anchors would hide what is shared and what only looks alike.
  const options = { aliasDuplicateObjects: false, lineWidth: 0 };
  return { ir: stringify({ status, ir: irs }, options), xds: stringify(xds, options) };
}

const cases = readdirSync(folder)
  .filter((name) => name.endsWith('.in.yaml'))
  .map((name) => name.slice(0, -'.in.yaml'.length))
  .sort();

for (const name of cases) {
  test(`golden: ${name}`, () => {
    const produced = produce(join(folder, `${name}.in.yaml`));
    for (const [kind, text] of Object.entries(produced)) {
      const path = join(folder, `${name}.${kind}.yaml`);
      if (update) {
        writeFileSync(path, text);
      } else {
        assert.equal(text, readFileSync(path, 'utf8'), `${path} differs; UPDATE_GOLDEN=1 rewrites it`);
      }
    }
  });

  test(`golden: ${name} is the same in another order of arrival`, () => {
    const path = join(folder, `${name}.in.yaml`);
    const other = produce(path, 'reversed');
    assert.deepEqual(other, produce(path));
  });
}

test('golden files belong to a case', () => {
  const wanted = new Set(cases.flatMap((name) => ['in', 'ir', 'xds'].map((kind) => `${name}.${kind}.yaml`)));
  for (const name of readdirSync(folder).filter((file) => !wanted.has(file))) {
    if (update) {
      rmSync(join(folder, name));
    } else {
      assert.fail(`${name} belongs to no case; UPDATE_GOLDEN=1 deletes it`);
    }
  }
  assert.ok(cases.length >= 25, `there are only ${cases.length} cases`);
});
