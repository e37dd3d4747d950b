import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';

/** One document of the data, as text (to be read the way users' files are) and as a value. */
export interface DataDocument {
  readonly file: string;
  readonly text: string;
  readonly value: Readonly<Record<string, unknown>>;
}

/** All documents of a file with something in them. */
export function documentsOf(path: string): DataDocument[] {
  const text = readFileSync(path, 'utf8');
  return parseAllDocuments(text).flatMap((document): DataDocument[] => {
    const value: unknown = document.toJS();
    if (typeof value !== 'object' || value === null) {
      return [];
    }
    const [start, , end] = document.range ?? [0, 0, text.length];
    return [{ file: path, text: text.slice(start, end), value: value as Readonly<Record<string, unknown>> }];
  });
}

/** YAML files below a folder. */
export function yamlFilesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.ya?ml$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
