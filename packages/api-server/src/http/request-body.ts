import { formatPath } from '@weft/resources';
import { parseDocument } from 'yaml';
import { decodeKubernetesObject } from '../protobuf/decode-object.ts';
import { ProtobufError } from '../protobuf/wire-reader.ts';
import { badRequest, tooLarge, unsupportedMediaType } from '../registry/status-error.ts';

const jsonTypes = [
  'application/json',
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
];
const yamlTypes = ['application/yaml', 'application/apply-patch+yaml'];
const protobufType = 'application/vnd.kubernetes.protobuf';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads a request body by its media type (JSON, YAML or Kubernetes' protobuf) into plain values.
 * @param maxDepth of nesting.
 * @throws StatusError 400 with the place for what is malformed, nested too deep or has a key twice; 415.
 */
export function parseBody(bytes: Uint8Array, mediaType: string, maxDepth: number): unknown {
  if (mediaType === protobufType) {
    return parseProtobuf(bytes, maxDepth);
  }
  const isYaml = yamlTypes.includes(mediaType);
  if (!isYaml && !jsonTypes.includes(mediaType)) {
    throw unsupportedMediaType(mediaType, [...jsonTypes, ...yamlTypes, protobufType]);
  }
  const text = textOf(bytes);
  // Most clients apply in JSON, which is YAML too: the stricter and faster reader first.
  return isYaml && !/^\s*\{/.test(text) ? parseYaml(text, maxDepth) : parseJson(text, maxDepth);
}

function parseProtobuf(bytes: Uint8Array, maxDepth: number): unknown {
  try {
    return decodeKubernetesObject(bytes, maxDepth);
  } catch (error) {
    throw error instanceof ProtobufError
      ? badRequest(`the body of the request is no protobuf that is accepted here: ${error.message}`)
      : error;
  }
}

function textOf(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw badRequest('the body of the request is no UTF-8');
  }
}

function parseJson(text: string, maxDepth: number): unknown {
  const trouble = findTrouble(text, maxDepth);
  if (trouble !== undefined) {
    throw badRequest(`the body of the request is malformed: ${trouble}`);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw badRequest(`the body of the request is no JSON: ${(error as Error).message}`);
  }
}

/** An object or list that is open while the text is read. */
interface Container {
  /** Keys seen so far; undefined for a list. */
  readonly keys: Set<string> | undefined;
  /** The key or index that is being read. */
  at: string | number;
}

/**
 * A key that stands twice in one object, or nesting that is too deep: what `JSON.parse` lets pass. One pass over the text, also
 * over text that is no JSON, of which it says nothing.
 */
function findTrouble(text: string, maxDepth: number): string | undefined {
  const open: Container[] = [];
  let lastString = '';
  for (let index = 0; index < text.length; index += 1) {
    switch (text[index]) {
      case '{':
      case '[':
        if (open.length >= maxDepth) {
          return `it is nested deeper than ${maxDepth} levels`;
        }
        open.push(text[index] === '{' ? { keys: new Set(), at: '' } : { keys: undefined, at: 0 });
        break;
      case ',': {
        const list = open.at(-1);
        if (typeof list?.at === 'number') {
          list.at += 1;
        }
        break;
      }
      case '}':
      case ']':
        open.pop();
        break;
      case ':': {
        const container = open.at(-1);
        if (container?.keys === undefined) {
          break;
        }
        const key = unquote(lastString);
        container.at = key;
        const wrong = container.keys.has(key) ? 'stands twice in one object' : forbiddenKey(key);
        if (wrong !== undefined) {
          const line = text.slice(0, index).split('\n').length;
          const path = formatPath(open.map(({ at }) => at));
          return `${path}: the key ${JSON.stringify(key)} ${wrong} (line ${line}); fix: remove it`;
        }
        container.keys.add(key);
        break;
      }
      case '"': {
        const end = endOfString(text, index);
        lastString = text.slice(index, end + 1);
        index = end;
        break;
      }
    }
  }
  return undefined;
}

/** Index of the quote that ends the string which begins at `start`; the last index of the text when there is none. */
function endOfString(text: string, start: number): number {
  let index = start + 1;
  while (index < text.length && text[index] !== '"') {
    index += text[index] === '\\' ? 2 : 1;
  }
  return Math.min(index, text.length - 1);
}

/** Why a key cannot be taken: in JavaScript this one names an object's prototype. */
function forbiddenKey(key: string): string | undefined {
  return key === '__proto__' ? 'is not accepted' : undefined;
}

function unquote(text: string): string {
  try {
    return JSON.parse(text) as string;
  } catch {
    return text;
  }
}

/** YAML that is not JSON costs about 1.5 s a megabyte to read, on the thread that serves everybody. */
export const maxYamlLength = 512_000;

function parseYaml(text: string, maxDepth: number): unknown {
  if (text.length > maxYamlLength) {
    throw tooLarge(maxYamlLength);
  }
  let value: unknown;
  try {
    const document = parseDocument(text, { uniqueKeys: true, prettyErrors: true, version: '1.2' });
    const [error] = document.errors;
    if (error !== undefined) {
      throw error;
    }
    // Aliases are refused: they save typing, and blow up memory.
    value = document.toJS({ maxAliasCount: 0 });
  } catch (failure) {
    throw badRequest(`the body of the request is no YAML that is accepted here: ${(failure as Error).message}`);
  }
  const trouble = findTroubleIn(value, maxDepth);
  if (trouble !== undefined) {
    throw badRequest(`the body of the request is malformed: ${trouble}`);
  }
  return value;
}

function findTroubleIn(value: unknown, depthLeft: number): string | undefined {
  if (typeof value !== 'object' || value === null) {
    return undefined;
  }
  if (depthLeft === 0) {
    return 'it is nested too deep';
  }
  for (const [key, child] of Object.entries(value)) {
    const wrong = forbiddenKey(key);
    const trouble = wrong === undefined ? findTroubleIn(child, depthLeft - 1) : `the key ${key} ${wrong}`;
    if (trouble !== undefined) {
      return trouble;
    }
  }
  return undefined;
}
