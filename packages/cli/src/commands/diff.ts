import { kindOf } from '../api/resource-api.ts';
import { type ApiFlags, type Context, withApi } from '../context.ts';
import { exitCode } from '../exit-code.ts';
import { applyFieldManager } from '../manifest/apply-objects.ts';
import { comparable } from '../manifest/comparable.ts';
import { unifiedDiff } from '../manifest/text-diff.ts';
import { forEachObject, readFiles } from './apply.ts';

export interface DiffOptions extends ApiFlags {
  readonly filename?: readonly string[];
  readonly namespace?: string;
}

/** `weft diff`: what `weft apply` would change, as the server computes it. Ends with 1 when there is a difference. */
export async function diff(context: Context, options: DiffOptions): Promise<void> {
  const { terminal } = context;
  const objects = await readFiles(context, options.filename);
  let different = false;
  await withApi(context, options, async (api) => {
    const failed = await forEachObject(context, objects, options.namespace ?? api.defaultNamespace, async (object) => {
      const { namespace, name } = object.metadata;
      const before = await api.resources.find(kindOf(object), namespace, name);
      const after = await api.resources.apply(object, { fieldManager: applyFieldManager, force: true, dryRun: true });
      const title = `${object.kind.toLowerCase()}/${name}`;
      const text = unifiedDiff(comparable(before), comparable(after), [`${title} (live)`, `${title} (applied)`]);
      different ||= text !== '';
      terminal.out(coloured(context, text));
    });
    context.exitCode = failed === exitCode.ok ? (different ? 1 : exitCode.ok) : failed;
  });
}

function coloured({ terminal }: Context, text: string): string {
  const { good, bad, faint, strong } = terminal.style;
  return text
    .split('\n')
    .map((line) =>
      line.startsWith('+++') || line.startsWith('---')
        ? strong(line)
        : line.startsWith('@@')
          ? faint(line)
          : line.startsWith('+')
            ? good(line)
            : line.startsWith('-')
              ? bad(line)
              : line,
    )
    .join('\n');
}
