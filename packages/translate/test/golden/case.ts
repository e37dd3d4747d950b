import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type KubeObject, validateObject } from '@weft/resources';
import { parseAllDocuments } from 'yaml';
import { type DefaultsName, MeshState } from '../../src/index.ts';

/** The first document of a case: what is asked besides the resources. */
export interface Question {
  /** What the case shows, one sentence. */
  readonly about: string;
  /** Proxies to translate for, in this order. */
  readonly proxies: readonly string[];
  /** Authorities that each of them was seen to call. */
  readonly observed?: readonly string[];
  /** Authorities to ask for on demand. */
  readonly onDemand?: readonly string[];
  readonly disconnected?: readonly string[];
  readonly accessLog?: boolean;
  readonly defaults?: DefaultsName;
}

export interface GoldenCase {
  readonly question: Question;
  readonly state: MeshState;
  readonly objects: readonly KubeObject[];
}

/**
 * Reads `<case>.in.yaml`: the question, then resources, which must be valid.
 * @param runFolder stands in for `/run/weft`, where access logs go and the files that cases name are.
 */
export function readCase(
  path: string,
  order: 'as written' | 'reversed' = 'as written',
  runFolder = '/run/weft',
): GoldenCase {
  const documents = parseAllDocuments(readFileSync(path, 'utf8').replaceAll('/run/weft/', `${runFolder}/`));
  const [question, ...raw] = documents.map((document) => {
    const [error] = document.errors;
    if (error !== undefined) {
      throw error;
    }
    return document.toJS() as unknown;
  });
  const objects = raw.map((value) => {
    const { object, violations } = validateObject(value);
    if (object === undefined) {
      throw new Error(`${path}: ${JSON.stringify(violations)}`);
    }
    return { ...object, metadata: { generation: 1, creationTimestamp: '2026-01-01T00:00:00Z', ...object.metadata } };
  });
  const asked = question as Question;
  const state = new MeshState({
    ...(asked.accessLog === true ? { accessLogPath: (key) => `${runFolder}/${key.replace('/', '.')}.access.log` } : {}),
    ...(asked.defaults === undefined ? {} : { defaults: asked.defaults }),
  });
  // One at a time, so that everything is indexed again and again on the way.
  for (const value of order === 'reversed' ? objects.toReversed() : objects) {
    state.apply([{ value }]);
  }
  for (const key of asked.disconnected ?? []) {
    state.setProxyConnected(key, false);
  }
  return { question: asked, state, objects };
}

/** Reads a case for what opens the files that it names: those of `runFolder` hold what the Secret `client` of the case does. */
export function readCaseWithFiles(path: string, runFolder: string): GoldenCase {
  const golden = readCase(path, 'as written', runFolder);
  const secret = golden.objects.find(({ kind, metadata }) => kind === 'Secret' && metadata.name === 'client') as
    | (KubeObject & { readonly data?: Readonly<Record<string, string>> })
    | undefined;
  for (const key of secret === undefined ? [] : ['tls.crt', 'tls.key', 'ca.crl']) {
    const content = Buffer.from(secret?.data?.[key] ?? '', 'base64');
    writeFileSync(join(runFolder, `client.${key.split('.')[1]}`), content);
  }
  return golden;
}
