import { parseDocument } from 'yaml';
import { badRequest, unsupportedMediaType } from '../registry/status-error.ts';

const jsonTypes = [
  'application/json',
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
];
const yamlTypes = ['application/yaml', 'application/apply-patch+yaml'];

/**
 * Reads a request body by its media type, JSON or YAML, into plain values.
 * @param maxDepth of nesting.
 * @throws StatusError 400 with the place for what is malformed, nested too deep or has a key twice; 415.
 */
export function parseBody(text: string, mediaType: string, maxDepth: number): unknown {
  if (jsonTypes.includes(mediaType)) {
    return parseJson(text, maxDepth);
  }
  if (yamlTypes.includes(mediaType)) {
    // Most clients apply in JSON, which is YAML too: the stricter and faster reader first.
    return /^\s*\{/.test(text) ? parseJson(text, maxDepth) : parseYaml(text, maxDepth);
  }
  throw unsupportedMediaType(mediaType, [...jsonTypes, ...yamlTypes]);
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

/** A key that stands twice in one object, or nesting that is too deep: what `JSON.parse` lets pass. */
function findTrouble(text: string, maxDepth: number): string | undefined {
  const open: (Set<string> | undefined)[] = [];
  const token = /"(?:[^"\\]|\\.)*"|[{}[\],:]/gs;
  let lastString: string | undefined;
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    const [part] = match;
    switch (part[0]) {
      case '{':
      case '[':
        if (open.length >= maxDepth) {
          return `it is nested deeper than ${maxDepth} levels`;
        }
        open.push(part === '{' ? new Set() : undefined);
        break;
      case '}':
      case ']':
        open.pop();
        break;
      case ':': {
        const keys = open.at(-1);
        if (keys !== undefined && lastString !== undefined) {
          const key = unquote(lastString);
          if (keys.has(key)) {
            const line = text.slice(0, match.index).split('\n').length;
            return `the key ${JSON.stringify(key)} stands twice in one object (line ${line}); fix: remove one of them`;
          }
          keys.add(key);
        }
        break;
      }
      case '"':
        lastString = part;
        break;
    }
  }
  return undefined;
}

function unquote(text: string): string {
  try {
    return JSON.parse(text) as string;
  } catch {
    return text;
  }
}

function parseYaml(text: string, maxDepth: number): unknown {
  const document = parseDocument(text, { uniqueKeys: true, prettyErrors: true, version: '1.2' });
  const [error] = document.errors;
  if (error !== undefined) {
    throw badRequest(`the body of the request is no YAML: ${error.message}`);
  }
  let value: unknown;
  try {
    // Aliases are refused: they save typing, and blow up memory.
    value = document.toJS({ maxAliasCount: 0 });
  } catch (failure) {
    throw badRequest(`the body of the request is no YAML that is accepted here: ${(failure as Error).message}`);
  }
  if (depthOf(value) > maxDepth) {
    throw badRequest(`the body of the request is nested deeper than ${maxDepth} levels`);
  }
  return value;
}

function depthOf(value: unknown): number {
  return typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;
}
