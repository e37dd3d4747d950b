import { readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join, relative, resolve } from 'node:path';
import { type KubeObject, parsePath, type Violation, validateObject } from '@weft/resources';
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
  type YAMLError,
} from 'yaml';
import { CliFailure, type FailureReport, usageFailure } from '../cli-failure.ts';
import { exitCode } from '../exit-code.ts';

/** One object of a file, with the way back to its lines. */
export interface ManifestObject {
  /** As the user named it; `<stdin>` for standard input. */
  readonly file: string;
  readonly object: KubeObject;
  /** Adds line and column of a field path. */
  locate(violation: Violation): Violation;
}

/** Largest file that is read. */
export const maxFileBytes = 8 * 1024 * 1024;
/** Most files that one folder may bring. */
export const maxFiles = 2_000;
/** YAML aliases may multiply a document at most this often. */
const maxAliasCount = 100;

const extensions = new Set(['.yaml', '.yml', '.json']);
const standardInput = '<stdin>';

/** What one text holds: its objects, and everything that is wrong with it. */
export interface ManifestText {
  readonly objects: readonly ManifestObject[];
  readonly violations: readonly Violation[];
}

/**
 * Reads files, folders (with their sub-folders) and standard input (`-`), in order.
 * @throws CliFailure with every mistake of every file.
 */
export function readManifests(paths: readonly string[], cwd: string, input = ''): readonly ManifestObject[] {
  const { objects, violations } = checkManifests(paths, cwd, input);
  if (violations.length > 0) {
    throw new CliFailure({
      what: violations.length === 1 ? 'there is a mistake' : `there are ${violations.length} mistakes`,
      violations,
      exitCode: exitCode.userMistake,
    });
  }
  return objects;
}

/** As {@link readManifests}, but the mistakes come back. `files` counts what was looked at. */
export function checkManifests(
  paths: readonly string[],
  cwd: string,
  input = '',
): ManifestText & { readonly files: number } {
  const files = paths.flatMap((path) => (path === '-' ? [standardInput] : listFiles(path, cwd)));
  if (files.length > maxFiles) {
    throw usageFailure(`${files.length} files are more than ${maxFiles}`, 'name fewer folders at once');
  }
  const objects: ManifestObject[] = [];
  const violations: Violation[] = [];
  for (const file of files) {
    const read = readManifestText(file, file === standardInput ? input : readFile(file, cwd));
    objects.push(...read.objects);
    violations.push(...read.violations);
  }
  return { objects, violations, files: files.length };
}

/** Reads one text of YAML documents or JSON; `List` objects count as their items. */
export function readManifestText(file: string, text: string): ManifestText {
  if (text.length > maxFileBytes) {
    return {
      objects: [],
      violations: [
        {
          path: '',
          file,
          code: 'TooLarge',
          message: `the file holds more than ${maxFileBytes} bytes`,
          fix: 'Split it.',
        },
      ],
    };
  }
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, merge: false });
  const objects: ManifestObject[] = [];
  const violations: Violation[] = [];
  for (const document of Array.isArray(documents) ? documents : []) {
    if (document.errors.length > 0) {
      violations.push(...document.errors.map((error) => violationOfYamlError(file, lines, error)));
      continue;
    }
    const value = toValue(file, document, violations);
    if (value === null || value === undefined) {
      continue;
    }
    for (const { raw, prefix } of itemsOf(value)) {
      const locate = (violation: Violation): Violation => placed(file, document, lines, prefix, violation);
      const result = validateObject(raw, { withDefaults: false });
      if (result.violations === undefined) {
        objects.push({ file, object: result.object, locate });
      } else {
        violations.push(...result.violations.map(locate).sort(byPlace));
      }
    }
  }
  return { objects, violations };
}

/** Gives a report about an object the lines of the file that it came from. */
export function withPlaces(report: FailureReport, source: ManifestObject): FailureReport {
  return {
    ...report,
    where: report.where === undefined ? source.file : `${source.file}, ${report.where}`,
    ...(report.violations === undefined ? {} : { violations: report.violations.map((entry) => source.locate(entry)) }),
  };
}

function itemsOf(value: unknown): { readonly raw: unknown; readonly prefix: readonly (string | number)[] }[] {
  if (typeof value === 'object' && value !== null && 'kind' in value && 'items' in value && value.kind === 'List') {
    return Array.isArray(value.items)
      ? value.items.map((raw: unknown, index) => ({ raw, prefix: ['items', index] }))
      : [{ raw: value, prefix: [] }];
  }
  return [{ raw: value, prefix: [] }];
}

function byPlace(a: Violation, b: Violation): number {
  return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
}

function toValue(file: string, document: Document.Parsed, violations: Violation[]): unknown {
  try {
    return document.toJS({ maxAliasCount });
  } catch (error) {
    violations.push({
      path: '',
      file,
      code: 'MalformedDocument',
      message: error instanceof Error ? error.message : String(error),
      fix: 'Write the value out instead of using aliases.',
    });
    return undefined;
  }
}

function placed(
  file: string,
  document: Document.Parsed,
  lines: LineCounter,
  prefix: readonly (string | number)[],
  violation: Violation,
): Violation {
  const offset = offsetOf(document, [...prefix, ...(parsePath(violation.path) ?? [])]);
  const place = offset === undefined ? undefined : lines.linePos(offset);
  return { ...violation, file, ...(place === undefined ? {} : { line: place.line, column: place.col }) };
}

/** Where the key of a path stands; for a field that is missing, where the object that should have it stands. */
function offsetOf(document: Document.Parsed, path: readonly (string | number)[]): number | undefined {
  let node: Node | null = document.contents;
  let offset = node?.range?.[0];
  for (const segment of path) {
    if (node !== null && isAlias(node)) {
      node = node.resolve(document) ?? null;
    }
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(segment));
      if (pair === undefined || !isScalar(pair.key)) {
        return offset;
      }
      offset = pair.key.range?.[0] ?? offset;
      node = (pair.value ?? null) as Node | null;
    } else if (isSeq(node)) {
      const item = node.items[Number(segment)] as Node | undefined;
      if (item === undefined) {
        return offset;
      }
      offset = item.range?.[0] ?? offset;
      node = item;
    } else {
      return offset;
    }
  }
  return offset;
}

function violationOfYamlError(file: string, lines: LineCounter, error: YAMLError): Violation {
  const { line, col } = lines.linePos(error.pos[0]);
  const duplicate = error.code === 'DUPLICATE_KEY';
  return {
    path: '',
    file,
    line,
    column: col,
    code: duplicate ? 'DuplicateKey' : 'MalformedDocument',
    message: duplicate ? 'the same key stands twice in one object' : `not YAML: ${error.message}`,
    fix: duplicate ? 'Remove one of the two.' : 'Check indentation, quotes and colons of this line and the one before.',
  };
}

function listFiles(path: string, cwd: string): string[] {
  const full = resolve(cwd, path);
  const stat = statSync(full, { throwIfNoEntry: false });
  if (stat === undefined) {
    throw usageFailure(`there is no file or folder ${path}`, 'check the path; it is relative to the current folder');
  }
  if (!stat.isDirectory()) {
    return [path];
  }
  return readdirSync(full, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && extensions.has(extname(entry.name)))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((file) => relative(cwd, file));
}

function readFile(file: string, cwd: string): string {
  try {
    return readFileSync(resolve(cwd, file), 'utf8');
  } catch (error) {
    throw usageFailure(
      `${file} cannot be read: ${error instanceof Error ? error.message : error}`,
      'check the rights of the file',
    );
  }
}
