import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, describe, it } from 'node:test';
import { clusterLoadAssignment, endpointNames, virtualHostOnDemand, workloadIr, xdsFromIr } from '@weft/translate';
import { typeUrls } from '@weft/xds-types';
import { readCaseWithFiles } from '../../translate/test/golden/case.ts';
import { RuntimeConfigAssembly } from '../src/runtime-config/assembly.ts';
import { resourceTypes } from '../src/runtime-config/from-xds/resource-types.ts';
import { decodeMessage } from '../src/runtime-config/wire/decode.ts';
import { jsonFromBytes } from '../src/runtime-config/wire/json.ts';
import { Listener } from '../src/runtime-config/wire/listener-schema.ts';
import { parseJsonMessage } from '../src/runtime-config/wire/parse-json.ts';
import { Problems } from '../src/runtime-config/wire/problems.ts';
import type { AnyMessage, Field, RawMessage } from '../src/runtime-config/wire/schema.ts';

const folder = resolve(import.meta.dirname, '../../translate/testdata');
const scratch = mkdtempSync(join(tmpdir(), 'weft-translated-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
const types = new Map(resourceTypes.map((type) => [type.typeUrl, type]));

/** The golden cases of the translation: everything that it can generate for a proxy must be accepted by our own. */
function messagesOf(path: string) {
  const { question, state } = readCaseWithFiles(path, scratch);
  return question.proxies.flatMap((key) => {
    const ir = workloadIr(state, key, question.observed ?? []);
    assert.ok(ir !== undefined);
    if (ir.workload.engine === 'grpc') {
      return [];
    }
    const all = [
      ...xdsFromIr(ir),
      ...endpointNames(ir).map((name) => clusterLoadAssignment(state, key, name)),
      ...(question.onDemand ?? []).map((authority) => virtualHostOnDemand(state, key, authority).message),
    ];
    return [all];
  });
}

/** Messages that are left as they came, in bytes or JSON, taken apart. */
function withoutRaw(type: AnyMessage, value: object): object {
  return Object.fromEntries(
    Object.entries(value).map(([key, content]: [string, unknown]) => [key, plain(type.fields[key], content)]),
  );
}

function plain(field: Field | undefined, value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map((item) => plain(field, item));
  }
  if (typeof value !== 'object' || value === null || field === undefined || value instanceof Map) {
    return value;
  }
  if (field.kind === 'any') {
    const { type: name, value: content } = value as { readonly type: string; readonly value: object };
    const type = field.types?.find((candidate) => candidate.name === name);
    return { type: name, value: type === undefined ? content : withoutRaw(type, content) };
  }
  if (field.kind !== 'message' || field.message === undefined) {
    return value;
  }
  const { bytes, message } = value as RawMessage<AnyMessage>;
  const content =
    field.raw !== true ? value : bytes === undefined ? message : decodeMessage(field.message, bytes, new Problems());
  return withoutRaw(field.message, content as object);
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
          if ('error' in result && result.error.every((line) => line.endsWith('the file cannot be read: ENOENT'))) {
            // Files that only the machine of the proxy has.
            continue;
          }
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
            assert.deepEqual(
              withoutRaw(Listener, again),
              withoutRaw(Listener, decodeMessage(Listener, bytes, problems)),
            );
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
