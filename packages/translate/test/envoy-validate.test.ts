import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { findPeer, peerSkip } from '@weft/testkit';
import { workloadIr, xdsFromIr } from '../src/index.ts';
import { readCase, readCaseWithFiles } from './golden/case.ts';
import { forEnvoy, staticBootstrap } from './golden/static-bootstrap.ts';

/** Stock Envoy reads everything that the golden cases produce: `envoy --mode validate` builds listeners, routes, clusters and filters. */

const folder = resolve(import.meta.dirname, '../testdata');
const skip = peerSkip('envoy');
const scratch = mkdtempSync(join(tmpdir(), 'weft-translate-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

function validate(bootstrap: Uint8Array, name: string): { readonly ok: boolean; readonly output: string } {
  const path = join(scratch, `${name}.pb`);
  writeFileSync(path, bootstrap);
  const envoy = findPeer('envoy');
  assert.ok(envoy !== undefined);
  const { status, stderr } = spawnSync(
    envoy,
    ['--mode', 'validate', '-c', path, '--log-level', 'warning', '--concurrency', '1'],
    { encoding: 'utf8', timeout: 60_000 },
  );
  return { ok: status === 0, output: stderr };
}

const cases = readdirSync(folder)
  .filter((name) => name.endsWith('.in.yaml'))
  .map((name) => name.slice(0, -'.in.yaml'.length));

for (const name of cases) {
  test(`stock Envoy accepts ${name}`, { skip }, () => {
    const { question, state } = readCaseWithFiles(join(folder, `${name}.in.yaml`), scratch);
    for (const key of question.proxies) {
      const ir = workloadIr(state, key, question.observed ?? []);
      assert.ok(ir !== undefined);
      const { ok, output } = validate(
        staticBootstrap(xdsFromIr(forEnvoy(ir)), scratch),
        `${name}-${key.replace('/', '.')}`,
      );
      assert.ok(ok, `${key}: ${output}`);
    }
  });
}

test('stock Envoy refuses what is wrong, so that the check above means something', { skip }, () => {
  const { state } = readCase(join(folder, 'match-conditions.in.yaml'));
  const ir = workloadIr(state, 'shop/web-1', ['reviews:9080']);
  assert.ok(ir?.httpProxy !== undefined);
  const [host] = ir.httpProxy.virtualHosts;
  assert.ok(host?.routes !== undefined);
  const [route, ...others] = host.routes.routes;
  assert.ok(route !== undefined);
  const broken = { ...route, match: { ...route.match, path: { kind: 'regex' as const, value: '(' } } };
  const planted = {
    ...ir,
    httpProxy: {
      ...ir.httpProxy,
      virtualHosts: [{ ...host, routes: { ...host.routes, routes: [broken, ...others] } }],
    },
  };
  const { ok, output } = validate(staticBootstrap(xdsFromIr(forEnvoy(planted)), scratch), 'planted');
  assert.equal(ok, false);
  assert.match(output, /missing \)/);
});
