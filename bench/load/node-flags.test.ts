import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { sidecarNodeFlags } from './start-sidecar.ts';

test("the benchmarks start the proxy with Node's flags of `weft run`", () => {
  const source = readFileSync(join(import.meta.dirname, '../../packages/cli/src/workload/sidecar.ts'), 'utf8');
  const list = /const nodeFlags = \[([^\]]*)\]/.exec(source)?.[1] ?? '';
  const flags = [...list.matchAll(/'([^']+)'/g)].map(([, flag]) => flag);
  assert.notEqual(flags.length, 0);
  assert.deepEqual(sidecarNodeFlags, flags);
});
