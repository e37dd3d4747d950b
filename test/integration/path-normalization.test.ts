import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, before, test } from 'node:test';
import { eventually, startMesh, type TestMesh } from '@weft/testkit';
import { availableEngines, type EngineName, runCaller } from './engine-pairs.ts';

/** What becomes of paths in each of the four modes, between sidecars of both engines; the mesh keeps its mode over restarts. */

const application = `
require('http').createServer((request, response) => response.end(request.url))
  .listen(process.env.PORT, '127.0.0.1')`;

/** Of `/a/../b`, `/a//b` and `/a%2F%2fb?x=//`. */
const seen: Readonly<Record<string, readonly string[]>> = {
  base: ['/b', '/a//b', '/a%2F%2fb?x=//'],
  none: ['/a/../b', '/a//b', '/a%2F%2fb?x=//'],
  'merge-slashes': ['/b', '/a/b', '/a%2F%2fb?x=//'],
  'decode-and-merge-slashes': ['/b', '/a/b', '/a/b?x=//'],
};

let mesh: TestMesh;
const callers = new Map<EngineName, number>();

before(async () => {
  mesh = await startMesh();
  for (const engine of availableEngines) {
    await mesh.runWorkload([
      '--service',
      `at-${engine}`,
      '--engine',
      engine,
      '--',
      process.execPath,
      '-e',
      application,
    ]);
    const { workload } = await runCaller(mesh, `caller-${engine}`, engine, []);
    callers.set(engine, workload.httpProxyPort);
  }
});

after(() => mesh?.stop());

/** The path as the application of `to` has seen it; the client's way of writing it is left as it is. */
function ask(from: EngineName, to: EngineName, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { port: callers.get(from), host: '127.0.0.1', path: `http://at-${to}${path}`, headers: { host: `at-${to}` } },
      (response) => {
        let body = '';
        response.on('data', (data) => {
          body += String(data);
        });
        response.on('end', () => resolve(response.statusCode === 200 ? body : `status ${response.statusCode}`));
      },
    );
    outgoing.on('error', reject);
    outgoing.end();
  });
}

for (const [mode, expected] of Object.entries(seen)) {
  test(`${mode}${mode === 'base' ? ' (the default)' : ''}`, async () => {
    if (mode !== 'base') {
      await mesh.killControlPlane();
      await mesh.startControlPlane(['--path-normalization', mode]);
    }
    for (const from of availableEngines) {
      for (const to of availableEngines) {
        let last: readonly string[] = [];
        await eventually(
          async () => {
            last = await Promise.all(
              ['/a/../b', '/a//b', '/a%2F%2fb?x=//'].map((path) => ask(from, to, path).catch(String)),
            );
            return JSON.stringify(last) === JSON.stringify(expected);
          },
          { what: `${from} to ${to} by ${mode}`, timeoutMs: 20_000 },
        ).catch((error: unknown) => assert.deepEqual(last, expected, String(error)));
      }
    }
    const { stdout } = await mesh.weft(['explain', 'caller-weft']);
    assert.match(stdout, new RegExp(`paths +${mode} `));
  });
}
