import { readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join, relative, resolve } from 'node:path';
import { checkTogether, type KubeObject, parseManifest, type Violation } from '@weft/resources';
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

/** Most files that one folder may bring. */
const maxFiles = 2_000;

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

/** What is hardly meant in objects of files that stand together, with its place, in the order of the files. */
export function warningsOfManifests(
  { objects, violations }: ManifestText,
  namespace: string | undefined,
): readonly Violation[] {
  const sources = new Map(objects.map((source) => [source.object, source]));
  const findings = checkTogether([...sources.keys()], {
    complete: violations.length === 0,
    nowMs: Date.now(),
    ...(namespace === undefined ? {} : { namespace }),
  });
  return findings
    .map(({ object, violation }) => sources.get(object)?.locate(violation) ?? violation)
    .sort((a, b) => (a.file === b.file ? byPlace(a, b) : 0));
}

/** Reads one text of YAML documents or JSON; lists count as their items. */
function readManifestText(file: string, text: string): ManifestText {
  const parsed = parseManifest(text, { file });
  return {
    objects: (parsed.objects ?? []).map((manifest) => ({
      file,
      object: manifest.object,
      locate: (violation) => ({ ...violation, file, ...manifest.position(violation.path) }),
    })),
    violations: [...(parsed.violations ?? [])].sort(byPlace),
  };
}

/** Gives a report about an object the lines of the file that it came from. */
export function withPlaces(report: FailureReport, source: ManifestObject): FailureReport {
  return {
    ...report,
    where: report.where === undefined ? source.file : `${source.file}, ${report.where}`,
    ...(report.violations === undefined ? {} : { violations: report.violations.map((entry) => source.locate(entry)) }),
  };
}

function byPlace(a: Violation, b: Violation): number {
  return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
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
