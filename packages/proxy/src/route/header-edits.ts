import type { HeadFields } from '@weft/http-codec';
import { compileHeaderValue } from '../access-log/format.ts';
import type { HeaderAddition, HeaderEdits, HeaderMutation } from '../runtime-config/config.ts';
import type { StreamInfo } from '../stream-info.ts';

interface CompiledAddition {
  readonly name: string;
  readonly lowerName: string;
  readonly value: string | ((info: StreamInfo) => string);
  readonly action: HeaderAddition['action'];
  readonly keepEmptyValue: boolean;
}

/** One level's edits for one direction. */
interface CompiledLevel {
  readonly add: readonly CompiledAddition[];
  readonly remove: readonly string[];
}

/** The edits of all levels that apply to a route, in the order in which they are done. */
export type CompiledHeaderEdits = readonly CompiledLevel[];

/** No edits: the shared empty list, so that a comparison with it is enough. */
const noHeaderEdits: CompiledHeaderEdits = [];

/** @param levels from the most specific to the least: weighted cluster, route, virtual host, table (Envoy's order). */
export function compileHeaderEdits(
  levels: readonly HeaderEdits[],
  direction: 'request' | 'response',
): CompiledHeaderEdits {
  const compiled = levels
    .map((level) =>
      direction === 'request'
        ? compileLevel(level.requestAdd, level.requestRemove)
        : compileLevel(level.responseAdd, level.responseRemove),
    )
    .filter((level) => level.add.length > 0 || level.remove.length > 0);
  return compiled.length === 0 ? noHeaderEdits : compiled;
}

/** Mutations are done one after the other: each is a level of its own. */
export function compileMutations(mutations: readonly HeaderMutation[]): CompiledHeaderEdits {
  return mutations.map((mutation) =>
    mutation.kind === 'add' ? compileLevel([mutation.addition], []) : compileLevel([], [mutation.name]),
  );
}

function compileLevel(add: readonly HeaderAddition[], remove: readonly string[]): CompiledLevel {
  return {
    add: add.map((addition) => ({
      name: addition.name,
      lowerName: addition.name.toLowerCase(),
      value: compileHeaderValue(addition.value),
      action: addition.action,
      keepEmptyValue: addition.keepEmptyValue,
    })),
    remove: remove.map((name) => name.toLowerCase()),
  };
}

/** Additions first, then removals, level by level. `host` and pseudo names are left alone. */
export function applyHeaderEdits(edits: CompiledHeaderEdits, fields: HeadFields, info: StreamInfo): void {
  for (const level of edits) {
    for (const addition of level.add) {
      applyAddition(addition, fields, info);
    }
    for (const name of level.remove) {
      if (name !== 'host' && !name.startsWith(':')) {
        fields.remove(name);
      }
    }
  }
}

function applyAddition(addition: CompiledAddition, fields: HeadFields, info: StreamInfo): void {
  const value = typeof addition.value === 'string' ? addition.value : addition.value(info);
  if (value === '' && !addition.keepEmptyValue) {
    return;
  }
  switch (addition.action) {
    case 'append':
      fields.add(addition.name, value);
      break;
    case 'add-if-absent':
      if (!fields.has(addition.lowerName)) {
        fields.add(addition.name, value);
      }
      break;
    case 'overwrite':
      fields.set(addition.name, value);
      break;
    default:
      if (fields.has(addition.lowerName)) {
        fields.set(addition.name, value);
      }
  }
}
