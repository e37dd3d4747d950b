import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { clusterLoadAssignment, endpointNames, virtualHostOnDemand, workloadIr, xdsFromIr } from '@weft/translate';
import { typeUrls } from '@weft/xds-types';
import { compileRouteTable } from '../../packages/proxy/src/route/route-table.ts';
import { RuntimeConfigAssembly } from '../../packages/proxy/src/runtime-config/assembly.ts';
import type { RouteTable } from '../../packages/proxy/src/runtime-config/config.ts';
import { resourceTypes } from '../../packages/proxy/src/runtime-config/from-xds/resource-types.ts';
import { readCaseWithFiles } from '../../packages/translate/test/golden/case.ts';
import { fuzz, mutateBytes, pick, type Random } from './fuzz-run.ts';

interface Resource {
  readonly typeUrl: string;
  readonly name: string;
  readonly bytes: Buffer;
}

const types = new Map<string, (typeof resourceTypes)[number]>(resourceTypes.map((type) => [type.typeUrl, type]));

const scratch = mkdtempSync(join(tmpdir(), 'weft-fuzz-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

/** Everything that the golden cases of the translation make for proxies. */
function validResources(): Resource[] {
  const folder = resolve(import.meta.dirname, '../../packages/translate/testdata');
  return readdirSync(folder)
    .filter((name) => name.endsWith('.in.yaml'))
    .flatMap((name) => {
      const { question, state } = readCaseWithFiles(join(folder, name), scratch);
      return question.proxies.flatMap((key) => {
        const ir = workloadIr(state, key, question.observed ?? []);
        assert.ok(ir !== undefined);
        if (ir.workload.engine === 'grpc') {
          return [];
        }
        return [
          ...xdsFromIr(ir),
          ...endpointNames(ir).map((endpoint) => clusterLoadAssignment(state, key, endpoint)),
          ...(question.onDemand ?? []).map((authority) => virtualHostOnDemand(state, key, authority).message),
        ];
      });
    })
    .map((message) => ({ typeUrl: message.typeUrl, name: message.name, bytes: Buffer.from(message.encode()) }));
}

const shortName = (typeUrl: string): string => typeUrl.slice(typeUrl.lastIndexOf('.') + 1);

/** Decodes as the xDS client does, and puts what was accepted together as the proxy does. */
function check({ typeUrl, name, bytes }: Resource): string {
  const type = types.get(typeUrl);
  assert.ok(type !== undefined, typeUrl);
  type.nameOf?.(bytes);
  const result = type.decode(name, bytes);
  if ('error' in result) {
    assert.ok(result.error.length > 0, 'a refusal without a reason');
    assert.ok(result.error.length <= 11, 'a refusal with too many reasons');
    assert.ok(result.error.every((line) => line.length < 20_000 && !/[^\P{Cc}\n]/u.test(line)));
    return 'refused';
  }
  type.references?.(result.ok);
  const assembly = new RuntimeConfigAssembly();
  assembly.update([{ kind: 'set', typeUrl: type.typeUrl, name, version: '1', value: result.ok, aliases: [] }]);
  for (const table of assembly.config().routes.values()) {
    compileRouteTable(table);
  }
  if (typeUrl === typeUrls.routeConfiguration) {
    compileRouteTable(result.ok as RouteTable);
  }
  return 'accepted';
}

test('mutated resources are refused with reasons or accepted; nothing throws or hangs', async (t) => {
  const valid = validResources();
  assert.ok(valid.length > 200);
  for (const resource of valid) {
    assert.equal(check(resource), 'accepted', resource.name);
  }
  const byType = Map.groupBy(valid, ({ typeUrl }) => typeUrl);
  const choose = (random: Random): Resource => pick(random, byType.get(pick(random, [...byType.keys()])) ?? valid);
  const cases = await fuzz<Resource>({
    corpus: 'xds.txt',
    read: (line) => {
      const [type = '', name = '', hex = ''] = line.split('\t');
      const typeUrl = [...types.keys()].find((url) => shortName(url) === type) ?? '';
      return { typeUrl, name: String(JSON.parse(name)), bytes: Buffer.from(hex, 'hex') };
    },
    write: ({ typeUrl, name, bytes }) => [shortName(typeUrl), JSON.stringify(name), bytes.toString('hex')].join('\t'),
    make: (random, corpus) => {
      const origin = random() < 0.1 ? pick(random, corpus) : choose(random);
      const others = (byType.get(origin.typeUrl) ?? valid).slice(0, 50).map(({ bytes }) => bytes);
      return { ...origin, bytes: mutateBytes(random, origin.bytes, [...others, choose(random).bytes], 6) };
    },
    check,
    expected: { refused: 0.3, accepted: 0.03 },
  });
  t.diagnostic(`${cases} cases from ${valid.length} valid resources`);
});
