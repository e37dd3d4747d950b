import { isMap, isScalar, isSeq, type Pair, Scalar, YAMLMap, type YAMLSeq } from 'yaml';
import { joinPath } from '../field-path.ts';
import { showValue } from '../place.ts';
import { type Violation, violationsMax } from '../violation.ts';
import { keyText, type SourcePositions } from './source-positions.ts';

/** Deepest nesting of maps and lists in a document. */
export const nestingMax = 64;

/** Words that are true or false for readers of YAML 1.1 (kubectl among them), and text for those of YAML 1.2. */
const ambiguousWord = /^(yes|no|on|off)$/i;
/** Decimal for YAML 1.2, octal for YAML 1.1. */
const ambiguousNumber = /^[-+]?0[0-7]+$/;
const plainTags = new Set(
  ['str', 'int', 'float', 'bool', 'null', 'map', 'seq'].map((name) => `tag:yaml.org,2002:${name}`),
);

interface Walk {
  readonly positions: SourcePositions;
  readonly found: Violation[];
}

function report(walk: Walk, path: string, node: unknown, violation: Omit<Violation, 'path'>): void {
  if (walk.found.length <= violationsMax) {
    walk.found.push({ path, ...walk.positions.ofNode(node), ...violation });
  }
}

function checkScalar(walk: Walk, path: string, scalar: Scalar): void {
  const source = scalar.source ?? '';
  if (scalar.type !== Scalar.PLAIN || scalar.tag !== undefined) {
    return;
  }
  if (ambiguousWord.test(source) || ambiguousNumber.test(source)) {
    report(walk, path, scalar, {
      code: 'FieldValueInvalid',
      message: `${source} means one thing to YAML 1.1 and another to YAML 1.2`,
      fix: ambiguousWord.test(source)
        ? `Write true or false, or "${source}" in quotes.`
        : `Write the number without the leading 0, or "${source}" in quotes.`,
    });
  }
}

/**
 * YAML 1.1 reads an address such as `fe80::` in a `[…]` list as text, YAML 1.2 as a map from `fe80:` to nothing.
 * Nobody means the latter.
 */
function mendAddresses(seq: YAMLSeq): void {
  for (const [index, item] of seq.items.entries()) {
    const pair = isMap(item) && item.items.length === 1 ? item.items[0] : undefined;
    const { key, value } = pair ?? {};
    const nothing = value === null || (isScalar(value) && value.value === null && (value.source ?? '') === '');
    if (nothing && isScalar(key) && typeof key.value === 'string' && /^[0-9a-f:]+:$/i.test(key.value)) {
      const scalar = new Scalar(`${key.value}:`);
      scalar.range = key.range ?? null;
      seq.items[index] = scalar;
    }
  }
}

function checkKey(walk: Walk, path: string, pair: Pair, seen: Set<string>): string {
  const { key } = pair;
  const text = keyText(key);
  const here = joinPath(path, text);
  if (!isScalar(key) || key.value === null) {
    report(walk, path, key, {
      code: 'MalformedDocument',
      message: 'a key is a word, and here is something else',
      fix: 'Write a word before the colon.',
    });
    return here;
  }
  if (seen.has(text)) {
    report(walk, here, key, {
      code: 'DuplicateKey',
      message: `the key ${showValue(text)} is there already`,
      fix: 'Remove one of the two, or join their contents.',
    });
  }
  seen.add(text);
  if (typeof key.value === 'string') {
    checkScalar(walk, here, key);
  }
  return here;
}

function checkNode(walk: Walk, path: string, node: unknown, depth: number): void {
  if (depth > nestingMax) {
    report(walk, path, node, {
      code: 'TooLarge',
      message: `more than ${nestingMax} maps and lists within each other`,
      fix: 'Nest less deeply.',
    });
    return;
  }
  const tag = isScalar(node) || isMap(node) || isSeq(node) ? node.tag : undefined;
  if (tag !== undefined && !plainTags.has(tag)) {
    report(walk, path, node, {
      code: 'MalformedDocument',
      message: `the tag ${tag} is not one of JSON's types`,
      fix: 'Remove the tag.',
    });
  }
  if (isScalar(node)) {
    checkScalar(walk, path, node);
  } else if (isSeq(node)) {
    mendAddresses(node);
    for (const [index, item] of node.items.entries()) {
      checkNode(walk, joinPath(path, index), item, depth + 1);
    }
  } else if (node instanceof YAMLMap) {
    const seen = new Set<string>();
    for (const pair of node.items as Pair[]) {
      checkNode(walk, checkKey(walk, path, pair, seen), pair.value, depth + 1);
    }
  }
}

/**
 * Walks a document and reports what YAML allows and a resource does not: duplicate keys, keys that are no words, tags,
 * words and numbers that two versions of YAML read differently, nesting beyond {@link nestingMax}.
 */
export function checkNodes(root: unknown, positions: SourcePositions): Violation[] {
  const walk: Walk = { positions, found: [] };
  checkNode(walk, '', root, 1);
  return walk.found;
}
