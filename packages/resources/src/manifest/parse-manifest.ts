import { type Document, isScalar, LineCounter, parseAllDocuments, type YAMLError } from 'yaml';
import { joinPath } from '../field-path.ts';
import type { KubeObject } from '../object.ts';
import { kinds } from '../registry.ts';
import { parseApiVersion, validateObject } from '../validate-object.ts';
import { limitViolations, type Violation, violationsMax } from '../violation.ts';
import { checkNodes } from './check-nodes.ts';
import { type SourcePosition, SourcePositions } from './source-positions.ts';

/** Largest document, in bytes of UTF-8: what the API accepts of one object. */
export const documentSizeMaxBytes = 2 * 1024 * 1024;
/** Largest manifest with all its documents, in bytes of UTF-8. */
export const manifestSizeMaxBytes = 32 * 1024 * 1024;
/** Most nodes that aliases may stand for, so that a short text cannot become a large object. */
const aliasedNodesMax = 100;

/** An object and where it was written. */
export interface ManifestObject {
  /** As written: without defaults, so that it can be applied. */
  readonly object: KubeObject;
  readonly file?: string;
  /** Where the object begins. */
  readonly line: number;
  readonly column: number;
  /** Where a field of the object is; for one that is not there, the innermost object around it. */
  position(path: string): SourcePosition;
}

export interface ManifestOptions {
  /** Name of the file, for violations. */
  readonly file?: string;
}

/** All objects of a manifest, or everything that is wrong with it. */
export type ParsedManifest =
  | { readonly objects: readonly ManifestObject[]; readonly violations?: undefined }
  | { readonly objects?: undefined; readonly violations: readonly Violation[] };

type Located = Omit<Violation, 'file'>;

/** One object of a document: the document itself, or an item of a List. */
interface Piece {
  readonly raw: unknown;
  /** Where the object is in its document. */
  readonly prefix: string;
}

function tooLarge(what: string, size: number, max: number, position?: SourcePosition): Located {
  return {
    path: '',
    ...position,
    code: 'TooLarge',
    message: `the ${what} has ${size} bytes, at most ${max} are allowed`,
    fix: 'Split it.',
  };
}

const nestedTooDeeply = {
  path: '',
  code: 'TooLarge',
  message: 'the document is nested too deeply',
  fix: 'Nest less deeply.',
} as const;

function syntaxViolation(error: YAMLError, positions: SourcePositions): Located {
  if (error.code === 'RESOURCE_EXHAUSTION') {
    return { ...nestedTooDeeply, ...positions.ofOffset(error.pos[0]) };
  }
  const [message = 'the document cannot be read'] = error.message.split(/ at line \d+/);
  return {
    path: '',
    ...positions.ofOffset(error.pos[0]),
    code: 'MalformedDocument',
    message,
    fix: 'Mend the YAML at this place: look at indentation, quotes and brackets.',
  };
}

/** The objects of a List (`kind: List`, or `ServiceList` and the like), or the document itself. */
function unfold(raw: unknown): Piece[] {
  const list = raw as { apiVersion?: unknown; kind?: unknown; items?: unknown } | null;
  if (typeof list !== 'object' || list === null || typeof list.kind !== 'string' || !Array.isArray(list.items)) {
    return [{ raw, prefix: '' }];
  }
  if (!list.kind.endsWith('List')) {
    return [{ raw, prefix: '' }];
  }
  const itemKind = list.kind.slice(0, -'List'.length);
  const { group } = parseApiVersion(String(list.apiVersion ?? ''));
  const typed = kinds.some((kind) => kind.kind === itemKind && kind.group === group);
  if (itemKind !== '' && !typed) {
    return [{ raw, prefix: '' }];
  }
  return list.items.flatMap((item: unknown, index) => {
    const prefix = joinPath('items', index);
    const whole =
      typed && typeof item === 'object' && item !== null
        ? { apiVersion: list.apiVersion, kind: itemKind, ...item }
        : item;
    return unfold(whole).map((piece) => ({ raw: piece.raw, prefix: within(prefix, piece.prefix) }));
  });
}

function within(prefix: string, path: string): string {
  if (prefix === '' || path === '') {
    return prefix + path;
  }
  return path.startsWith('[') ? prefix + path : `${prefix}.${path}`;
}

function readDocument(document: Document, text: string, lines: LineCounter): [ManifestObject[], Located[]] {
  const positions = new SourcePositions(document, lines);
  const [start, , end] = document.range ?? [0, 0, text.length];
  const size = Buffer.byteLength(text.slice(start, end));
  if (size > documentSizeMaxBytes) {
    return [[], [tooLarge('document', size, documentSizeMaxBytes, positions.start)]];
  }
  const malformed = [
    ...document.errors.slice(0, violationsMax + 1).map((error) => syntaxViolation(error, positions)),
    ...(document.errors.length > 0 ? [] : checkNodes(document.contents, positions)),
  ];
  if (malformed.some(({ code }) => code === 'MalformedDocument' || code === 'TooLarge')) {
    return [[], malformed];
  }
  const objects: ManifestObject[] = [];
  const found: Located[] = malformed;
  for (const { raw, prefix } of unfold(document.toJS({ maxAliasCount: aliasedNodesMax }))) {
    const { object, violations } = validateObject(raw, { withDefaults: false });
    for (const violation of violations ?? []) {
      const path = within(prefix, violation.path);
      if (!malformed.some((other) => other.path === path && other.code !== 'DuplicateKey')) {
        found.push({ ...violation, path, ...positions.of(path, violation.code === 'UnknownField') });
      }
    }
    if (object !== undefined) {
      const at = positions.of(prefix);
      objects.push({
        object,
        line: at.line,
        column: at.column,
        position: (path) => positions.of(within(prefix, path)),
      });
    }
  }
  return [objects, found];
}

/** A document that cannot be turned into a value: an alias without anchor, a bomb of aliases, endless nesting. */
function thrownViolation(thrown: unknown, positions: SourcePosition | undefined): Located {
  if (thrown instanceof RangeError) {
    return { ...nestedTooDeeply, ...positions };
  }
  return {
    path: '',
    ...positions,
    code: 'MalformedDocument',
    message: thrown instanceof Error ? thrown.message : String(thrown),
    fix: 'Write the values out instead of using aliases.',
  };
}

/** Nothing but comments between two `---`. */
function isEmpty({ contents, errors }: Document): boolean {
  const nothing =
    contents === null || (isScalar(contents) && contents.value === null && (contents.source ?? '') === '');
  return nothing && errors.length === 0;
}

function readAll(text: string): [ManifestObject[], Located[]] {
  const size = Buffer.byteLength(text);
  if (size > manifestSizeMaxBytes) {
    return [[], [tooLarge('manifest', size, manifestSizeMaxBytes)]];
  }
  const lines = new LineCounter();
  const objects: ManifestObject[] = [];
  const found: Located[] = [];
  let documents: readonly Document[] = [];
  try {
    documents = [...parseAllDocuments(text, { lineCounter: lines, uniqueKeys: false, merge: true, logLevel: 'error' })];
  } catch (thrown) {
    return [[], [thrownViolation(thrown, undefined)]];
  }
  for (const document of documents) {
    if (isEmpty(document)) {
      continue;
    }
    try {
      const [read, wrong] = readDocument(document, text, lines);
      objects.push(...read);
      found.push(...limitViolations(wrong));
    } catch (thrown) {
      found.push(thrownViolation(thrown, new SourcePositions(document, lines).start));
    }
  }
  return [objects, found];
}

/**
 * Reads a manifest: YAML or JSON, one or several documents, Lists unfolded. Each object is judged as the API would, and
 * everything that is wrong comes back at once, with file, line and column. Empty documents count as nothing.
 */
export function parseManifest(text: string, options: ManifestOptions = {}): ParsedManifest {
  const { file } = options;
  const [objects, found] = readAll(text);
  const named = file === undefined ? {} : { file };
  return found.length > 0
    ? { violations: found.map((violation) => ({ ...violation, ...named })) }
    : { objects: objects.map((object) => ({ ...object, ...named })) };
}
