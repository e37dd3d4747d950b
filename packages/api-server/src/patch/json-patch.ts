import { equalJson, isObject, type Json, PatchError } from './json.ts';

/** Operations of one patch; Kubernetes' limit. */
export const maxOperations = 10_000;
/** Characters of JSON that the `copy` operations of one patch may make; Kubernetes' limit (3 MiB). Copies of copies double. */
export const maxCopiedLength: number = 3 * 2 ** 20;
/** List items and fields that one patch may make us move: each operation rebuilds the containers on its way. */
export const maxMovedEntries = 2_000_000;

interface Operation {
  readonly op: 'add' | 'remove' | 'replace' | 'move' | 'copy' | 'test';
  readonly path: readonly string[];
  readonly from: readonly string[];
  readonly value: Json;
}

/**
 * Applies a JSON Patch (RFC 6902) and returns the changed copy.
 * @throws PatchError when it is malformed, a location does not exist or a test fails; nothing is changed then.
 */
export function applyJsonPatch(document: Json, patch: Json): Json {
  let result = document;
  const budget = new Budget();
  for (const [index, operation] of parseOperations(patch).entries()) {
    result = applyOperation(result, operation, `[${index}]`, budget);
  }
  return result;
}

/** What a patch may still cost: a small one can ask for very much. */
class Budget {
  #copied = maxCopiedLength;
  #moved = maxMovedEntries;

  copy(value: Json, at: string): void {
    this.#copied -= JSON.stringify(value)?.length ?? 0;
    if (this.#copied < 0) {
      throw new PatchError('malformed', at, `the copies of the patch have more than ${maxCopiedLength} characters`);
    }
  }

  rebuild(container: Json, at: string): void {
    this.#moved -= Array.isArray(container)
      ? container.length
      : isObject(container)
        ? Object.keys(container).length
        : 0;
    if (this.#moved < 0) {
      throw new PatchError('malformed', at, `the patch moves more than ${maxMovedEntries} list items and fields`);
    }
  }
}

function parseOperations(patch: Json): Operation[] {
  if (!Array.isArray(patch)) {
    throw new PatchError('malformed', '', 'a JSON patch is a list of operations (RFC 6902 §3)');
  }
  if (patch.length > maxOperations) {
    throw new PatchError(
      'malformed',
      '',
      `a JSON patch may have ${maxOperations} operations, this has ${patch.length}`,
    );
  }
  return patch.map(parseOperation);
}

const names = ['add', 'remove', 'replace', 'move', 'copy', 'test'] as const;

function parseOperation(raw: unknown, index: number): Operation {
  const at = `[${index}]`;
  if (!isObject(raw)) {
    throw new PatchError('malformed', at, 'an operation is an object');
  }
  const op = names.find((name) => name === raw['op']);
  if (op === undefined) {
    throw new PatchError('malformed', `${at}.op`, `${JSON.stringify(raw['op'])} is not one of ${names.join(', ')}`);
  }
  if ((op === 'add' || op === 'replace' || op === 'test') && !Object.hasOwn(raw, 'value')) {
    throw new PatchError('malformed', `${at}.value`, `the operation ${op} needs a value`);
  }
  return {
    op,
    path: parsePointer(raw['path'], `${at}.path`),
    from: op === 'move' || op === 'copy' ? parsePointer(raw['from'], `${at}.from`) : [],
    value: raw['value'],
  };
}

/** RFC 6901. */
function parsePointer(pointer: unknown, at: string): string[] {
  if (typeof pointer !== 'string' || (pointer !== '' && !pointer.startsWith('/'))) {
    throw new PatchError('malformed', at, `${JSON.stringify(pointer)} is not a JSON pointer (RFC 6901)`);
  }
  if (/~(?![01])/.test(pointer)) {
    throw new PatchError('malformed', at, `${JSON.stringify(pointer)} has a "~" that is not "~0" or "~1"`);
  }
  return pointer
    .split('/')
    .slice(1)
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function applyOperation(document: Json, operation: Operation, at: string, budget: Budget): Json {
  const { op, path, from, value } = operation;
  switch (op) {
    case 'add':
      return add(document, path, value, at, budget);
    case 'remove':
      return remove(document, path, at, budget);
    case 'replace':
      return replace(document, path, value, at, budget);
    case 'move':
      if (isPrefix(from, path)) {
        throw new PatchError('inapplicable', `${at}.from`, 'a value cannot be moved into itself');
      }
      return add(remove(document, from, at, budget), path, read(document, from, `${at}.from`), at, budget);
    case 'copy': {
      const copied = read(document, from, `${at}.from`);
      budget.copy(copied, at);
      return add(document, path, copied, at, budget);
    }
    case 'test':
      if (!equalJson(read(document, path, `${at}.path`), value)) {
        throw new PatchError('inapplicable', at, `the test of ${show(path)} failed: the value is another one`);
      }
      return document;
  }
}

function isPrefix(prefix: readonly string[], path: readonly string[]): boolean {
  return prefix.length < path.length && prefix.every((token, index) => token === path[index]);
}

function show(path: readonly string[]): string {
  return JSON.stringify(path.map((token) => `/${token.replaceAll('~', '~0').replaceAll('/', '~1')}`).join(''));
}

function missing(path: readonly string[], at: string): PatchError {
  return new PatchError('inapplicable', at, `there is nothing at ${show(path)}`);
}

/** RFC 6901 §4: digits without leading zeros. */
function indexOf(token: string, length: number, path: readonly string[], at: string): number {
  if (!/^(0|[1-9]\d*)$/.test(token) || Number(token) > length) {
    throw missing(path, at);
  }
  return Number(token);
}

function read(document: Json, path: readonly string[], at: string): Json {
  let value: Json = document;
  for (const token of path) {
    if (Array.isArray(value)) {
      value = value[indexOf(token, value.length - 1, path, at)];
    } else if (isObject(value) && Object.hasOwn(value, token)) {
      value = value[token];
    } else {
      throw missing(path, at);
    }
  }
  return value;
}

/** Rebuilds the containers on the way to the last token; `change` gets the innermost one. */
function update(
  value: Json,
  path: readonly string[],
  depth: number,
  at: string,
  budget: Budget,
  change: (container: Json, token: string) => Json,
): Json {
  const token = path[depth] ?? '';
  budget.rebuild(value, at);
  if (depth === path.length - 1) {
    return change(value, token);
  }
  if (Array.isArray(value)) {
    const index = indexOf(token, value.length - 1, path, at);
    return value.with(index, update(value[index], path, depth + 1, at, budget, change));
  }
  if (isObject(value) && Object.hasOwn(value, token)) {
    return { ...value, [token]: update(value[token], path, depth + 1, at, budget, change) };
  }
  throw missing(path, at);
}

function add(document: Json, path: readonly string[], value: Json, at: string, budget: Budget): Json {
  if (path.length === 0) {
    return value;
  }
  return update(document, path, 0, at, budget, (container, token) => {
    if (Array.isArray(container)) {
      const index = token === '-' ? container.length : indexOf(token, container.length, path, at);
      return container.toSpliced(index, 0, value);
    }
    if (isObject(container)) {
      return { ...container, [token]: value };
    }
    throw missing(path.slice(0, -1), at);
  });
}

function remove(document: Json, path: readonly string[], at: string, budget: Budget): Json {
  if (path.length === 0) {
    throw new PatchError('inapplicable', at, 'the whole object cannot be removed by a patch');
  }
  return update(document, path, 0, at, budget, (container, token) => {
    if (Array.isArray(container)) {
      return container.toSpliced(indexOf(token, container.length - 1, path, at), 1);
    }
    if (isObject(container) && Object.hasOwn(container, token)) {
      const { [token]: _, ...rest } = container;
      return rest;
    }
    throw missing(path, at);
  });
}

function replace(document: Json, path: readonly string[], value: Json, at: string, budget: Budget): Json {
  read(document, path, at);
  if (path.length === 0) {
    return value;
  }
  return update(document, path, 0, at, budget, (container, token) =>
    Array.isArray(container) ? container.with(Number(token), value) : { ...(container as object), [token]: value },
  );
}
