import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { clusterLoadAssignment, endpointNames, virtualHostOnDemand, workloadIr, xdsFromIr } from '@weft/translate';
import { typeUrls } from '@weft/xds-types';
import { readCase } from '../../translate/test/golden/case.ts';
import { RuntimeConfigAssembly } from '../src/runtime-config/assembly.ts';
import { resourceTypes } from '../src/runtime-config/from-xds/resource-types.ts';
import { decodeMessage } from '../src/runtime-config/wire/decode.ts';
import { jsonFromBytes } from '../src/runtime-config/wire/json.ts';
import { Listener } from '../src/runtime-config/wire/listener-schema.ts';
import { parseJsonMessage } from '../src/runtime-config/wire/parse-json.ts';
import { Problems } from '../src/runtime-config/wire/problems.ts';

const folder = resolve(import.meta.dirname, '../../translate/testdata');
const types = new Map(resourceTypes.map((type) => [type.typeUrl, type]));

/** The golden cases of the translation: everything it can generate must be accepted by our own proxy. */
function messagesOf(path: string) {
  const { question, state } = readCase(path, 'as written');
  return question.proxies.map((key) => {
    const ir = workloadIr(state, key, question.observed ?? []);
    assert.ok(ir !== undefined);
    return [
      ...xdsFromIr(ir),
      ...endpointNames(ir).map((name) => clusterLoadAssignment(state, key, name)),
      ...(question.onDemand ?? []).map((authority) => virtualHostOnDemand(state, key, authority).message),
    ];
  });
}

describe('what the translation generates', () => {
  const cases = readdirSync(folder).filter((name) => name.endsWith('.in.yaml'));
  let listeners = 0;

  it('has cases', () => assert.ok(cases.length > 20));

  for (const name of cases) {
    it(`is accepted: ${name}`, () => {
      for (const messages of messagesOf(join(folder, name))) {
        const assembly = new RuntimeConfigAssembly();
        for (const message of messages) {
          const type = types.get(message.typeUrl);
          assert.ok(type !== undefined, message.typeUrl);
          const bytes = message.encode();
          const result = type.decode(message.name, bytes);
          assert.ok('ok' in result, `${message.name}: ${'error' in result ? result.error.join('; ') : ''}`);
          assembly.update([
            {
              kind: 'set',
              typeUrl: message.typeUrl,
              name: message.name,
              version: '1',
              value: result.ok,
              aliases: [],
            },
          ]);
          if (message.typeUrl === typeUrls.listener) {
            listeners += 1;
            // The dump of a resource says all that is in it: read back, it is the same message.
            const problems = new Problems();
            const again = parseJsonMessage(Listener, jsonFromBytes(Listener, bytes), problems);
            assert.deepEqual(problems.lines(), []);
            assert.deepEqual(again, decodeMessage(Listener, bytes, problems));
          }
        }
        const config = assembly.config();
        for (const { filterChains } of config.listeners.values()) {
          for (const { filter } of filterChains) {
            if (filter.kind === 'http-connection-manager') {
              assert.ok(config.routes.has(filter.routeConfigName), filter.routeConfigName);
            }
          }
        }
      }
    });
  }

  it('has listeners', () => assert.ok(listeners > 20));
});
