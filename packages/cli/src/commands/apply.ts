import type { KubeObject } from '@weft/resources';
import { kindOf, type ResourceApi } from '../api/resource-api.ts';
import { reportFrom, usageFailure } from '../cli-failure.ts';
import { type ApiFlags, type Context, withApi } from '../context.ts';
import { exitCode } from '../exit-code.ts';
import { applyFieldManager } from '../manifest/apply-objects.ts';
import { comparable } from '../manifest/comparable.ts';
import { type ManifestObject, readManifests, withPlaces } from '../manifest/read-manifests.ts';
import { formatValue, parseOutputFormat } from '../terminal/output.ts';
import { printFailure } from '../terminal/print-failure.ts';

export interface ApplyOptions extends ApiFlags {
  readonly filename?: readonly string[];
  readonly namespace?: string;
  readonly force?: boolean;
  readonly dryRun?: boolean;
  readonly output?: string;
}

/** `weft apply`: server-side apply of every object; one that is refused does not stop the others. */
export async function apply(context: Context, options: ApplyOptions): Promise<void> {
  const { terminal } = context;
  const format = parseOutputFormat(options.output, ['table', 'json', 'yaml', 'name']);
  const objects = await readFiles(context, options.filename);
  await withApi(context, options, async (api) => {
    const results: KubeObject[] = [];
    const failed = await forEachObject(context, objects, options.namespace ?? api.defaultNamespace, async (object) => {
      const before = await existing(api.resources, object);
      const after = await api.resources.apply(object, {
        fieldManager: applyFieldManager,
        force: options.force === true,
        dryRun: options.dryRun === true,
      });
      results.push(after);
      if (format === 'table' || format === 'name') {
        const verb =
          before === undefined
            ? 'created'
            : isUnchanged(before, after, options.dryRun === true)
              ? 'unchanged'
              : 'configured';
        const name = `${object.kind.toLowerCase()}/${object.metadata.name}`;
        terminal.out(
          format === 'name' ? `${name}\n` : `${name} ${verb}${options.dryRun === true ? ' (dry run)' : ''}\n`,
        );
      }
    });
    if (format === 'json' || format === 'yaml') {
      terminal.out(formatValue(results.length === 1 ? results[0] : listOf(results), format));
    }
    context.exitCode = failed;
  });
}

export interface DeleteOptions extends ApiFlags {
  readonly filename?: readonly string[];
  readonly namespace?: string;
  readonly ignoreNotFound?: boolean;
}

/** Objects of files in the reverse of their order, so that what others refer to goes last. */
export async function deleteFromFiles(context: Context, options: DeleteOptions): Promise<void> {
  const objects = await readFiles(context, options.filename);
  await withApi(context, options, async (api) => {
    const namespace = options.namespace ?? api.defaultNamespace;
    context.exitCode = await forEachObject(context, objects.toReversed(), namespace, async (object) => {
      await deleteOne(context, api.resources, object, options.ignoreNotFound === true);
    });
  });
}

export async function deleteOne(
  { terminal }: Context,
  resources: ResourceApi,
  object: KubeObject,
  ignoreNotFound: boolean,
): Promise<void> {
  const kind = kindOf(object);
  const { namespace, name } = object.metadata;
  if (ignoreNotFound && (await resources.find(kind, namespace, name)) === undefined) {
    return;
  }
  await resources.delete(kind, namespace, name);
  terminal.out(`${object.kind.toLowerCase()}/${name} deleted\n`);
}

/** Reads `-f` flags; `-` is standard input. @throws CliFailure with every mistake of every file. */
export async function readFiles(
  context: Context,
  files: readonly string[] | undefined,
): Promise<readonly ManifestObject[]> {
  if (files === undefined || files.length === 0) {
    throw usageFailure('no file was named', 'name one with -f FILE, a folder with -f DIR, or standard input with -f -');
  }
  const input = files.includes('-') ? await context.terminal.readInput() : undefined;
  const objects = readManifests(files, context.cwd, input);
  if (objects.length === 0) {
    throw usageFailure(`there is no object in ${files.join(', ')}`, 'a file holds one or more YAML documents, or JSON');
  }
  return objects;
}

/** Calls `work` for each, in order; prints each failure with its file. Returns the exit code of the worst. */
export async function forEachObject(
  context: Context,
  objects: readonly ManifestObject[],
  namespace: string,
  work: (object: KubeObject, source: ManifestObject) => Promise<void>,
): Promise<number> {
  let worst: number = exitCode.ok;
  for (const source of objects) {
    const object = inNamespace(source.object, namespace);
    try {
      await work(object, source);
    } catch (error) {
      const report = reportFrom(error);
      if (report.exitCode === exitCode.notRunning) {
        throw error;
      }
      worst = Math.max(worst, report.exitCode);
      printFailure(context.terminal, withPlaces(report, source));
    }
  }
  return worst;
}

/** Objects that name no namespace go to the one of the command line. */
function inNamespace(object: KubeObject, namespace: string): KubeObject {
  return !kindOf(object).namespaced || object.metadata.namespace !== undefined
    ? object
    : { ...object, metadata: { ...object.metadata, namespace } };
}

/** What a dry run answers was not stored and has the version of what is. */
function isUnchanged(before: KubeObject, after: KubeObject, dryRun: boolean): boolean {
  return dryRun
    ? comparable(before) === comparable(after)
    : before.metadata.resourceVersion === after.metadata.resourceVersion;
}

async function existing(resources: ResourceApi, object: KubeObject): Promise<KubeObject | undefined> {
  return resources.find(kindOf(object), object.metadata.namespace, object.metadata.name);
}

function listOf(items: readonly KubeObject[]): unknown {
  return { apiVersion: 'v1', kind: 'List', items };
}
