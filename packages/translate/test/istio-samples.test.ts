import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { validate } from '@weft/ir';
import { type KubeObject, validateObject } from '@weft/resources';
import { conformanceData, findPeer, peerSkip, run } from '@weft/testkit';
import { parseAllDocuments } from 'yaml';
import {
  clusterLoadAssignment,
  endpointNames,
  MeshState,
  resourceStatus,
  workloadIr,
  xdsFromIr,
} from '../src/index.ts';
import { forEnvoy, staticBootstrap } from './golden/static-bootstrap.ts';

/** What users of Istio have: each file of Istio's samples is translated for a client that calls every host in it. */

const data = conformanceData('istio/samples');
const scratch = mkdtempSync(join(tmpdir(), 'weft-samples-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

function filesOf(folder: string): readonly string[] {
  return readdirSync(folder)
    .map((name) => join(folder, name))
    .flatMap((path) => (statSync(path).isDirectory() ? filesOf(path) : [path]))
    .filter((path) => /\.ya?ml$/.test(path));
}

/** Objects of kinds that Weft serves; others (Deployments, Gateways) and templates are passed over. */
function objectsOf(path: string): readonly KubeObject[] {
  return parseAllDocuments(readFileSync(path, 'utf8')).flatMap((document) => {
    if (document.errors.length > 0) {
      return [];
    }
    const raw = document.toJS() as { readonly metadata?: object } | null;
    const { object } = validateObject({ ...raw, metadata: { namespace: 'default', ...raw?.metadata } });
    return object === undefined ? [] : [object];
  });
}

function hostsOf(objects: readonly KubeObject[]): readonly string[] {
  return objects.flatMap((object) => {
    const { spec } = object as KubeObject & {
      readonly spec?: {
        readonly hosts?: readonly string[];
        readonly ports?: readonly { readonly port?: number; readonly number?: number }[];
      };
    };
    const hosts =
      object.kind === 'Service' ? [`${object.metadata.name}.${object.metadata.namespace}`] : (spec?.hosts ?? []);
    return hosts.flatMap((host) => [
      host.replace('*', 'any'),
      ...(spec?.ports ?? []).map(({ port, number }) => `${host.replace('*', 'any')}:${port ?? number}`),
    ]);
  });
}

const client: KubeObject = {
  apiVersion: 'weft.dev/v1alpha1',
  kind: 'Proxy',
  metadata: { name: 'client', namespace: 'default' },
  spec: { serviceAccount: 'client', httpProxy: { port: 15_080 } },
} as KubeObject;

const envoyMissing = peerSkip('envoy');

test('the samples of Istio are translated to what stock Envoy reads', { skip: data.skip }, async (t) => {
  let translated = 0;
  for (const path of filesOf(data.folder)) {
    const objects = objectsOf(path);
    if (objects.length === 0) {
      continue;
    }
    const name = path.slice(data.folder.length + 1);
    const state = new MeshState();
    state.apply([client, ...objects].map((value) => ({ value })));
    const ir = workloadIr(state, 'default/client', hostsOf(objects));
    assert.ok(ir !== undefined);
    assert.deepEqual(validate(ir), [], name);
    assert.ok(resourceStatus(state).size > 0, name);
    for (const cluster of endpointNames(ir)) {
      clusterLoadAssignment(state, 'default/client', cluster).encode();
    }
    translated += 1;
    await t.test(name, { skip: envoyMissing }, async () => {
      const bootstrap = join(scratch, 'bootstrap.pb');
      writeFileSync(bootstrap, staticBootstrap(xdsFromIr(forEnvoy(ir)), scratch));
      const { code, stderr } = await run(findPeer('envoy') ?? '', [
        '--mode',
        'validate',
        '-c',
        bootstrap,
        '-l',
        'error',
      ]);
      assert.equal(code, 0, stderr);
    });
  }
  assert.ok(translated > 40, `only ${translated} files had anything to translate`);
});
