import type { KubeObject } from '@weft/resources';
import { apiVersionOf } from '../api/resource-api.ts';
import { reportFrom, usageFailure } from '../cli-failure.ts';
import { type Context, withApi } from '../context.ts';
import { exitCode } from '../exit-code.ts';
import { printFailure } from '../terminal/print-failure.ts';
import { type DeleteOptions, deleteFromFiles, deleteOne } from './apply.ts';
import { parseTargets } from './get.ts';

/** `weft delete`: by name, or everything that files hold. */
export async function deleteObjects(context: Context, words: readonly string[], options: DeleteOptions): Promise<void> {
  if (options.filename !== undefined && options.filename.length > 0) {
    if (words.length > 0) {
      throw usageFailure('both a file and names were given', 'use either -f FILE or KIND NAME');
    }
    await deleteFromFiles(context, options);
    return;
  }
  const targets = parseTargets(words);
  await withApi(context, options, async (api) => {
    for (const { kind, name } of targets) {
      if (name === undefined) {
        throw usageFailure(
          `no ${kind.singular} was named`,
          `delete by name (weft delete ${kind.singular} NAME) or by file (weft delete -f FILE); there is no "all"`,
        );
      }
      const object: KubeObject = {
        apiVersion: apiVersionOf(kind),
        kind: kind.kind,
        metadata: { name, ...(kind.namespaced ? { namespace: options.namespace ?? api.defaultNamespace } : {}) },
      };
      try {
        await deleteOne(context, api.resources, object, options.ignoreNotFound === true);
      } catch (error) {
        const report = reportFrom(error);
        if (report.exitCode === exitCode.notRunning) {
          throw error;
        }
        context.exitCode = Math.max(context.exitCode, report.exitCode);
        printFailure(context.terminal, report);
      }
    }
  });
}
