import type { PreviewedChange } from '@weft/admin-api';
import type { KubeObject } from '@weft/resources';
import { kindOf } from '../api/resource-api.ts';
import { type ApiFlags, type Context, withApi } from '../context.ts';
import { exitCode } from '../exit-code.ts';
import { applyFieldManager } from '../manifest/apply-objects.ts';
import { comparable } from '../manifest/comparable.ts';
import { unifiedDiff } from '../manifest/text-diff.ts';
import { formatValue } from '../terminal/output.ts';
import type { Style } from '../terminal/style.ts';
import { forEachObject, readFiles } from './apply.ts';

export interface DiffOptions extends ApiFlags {
  readonly filename?: readonly string[];
  readonly namespace?: string;
}

/**
 * `weft diff`: what `weft apply` would change, as the server computes it, in the objects and in what proxies are given. Ends with 1 when
 * there is a difference.
 */
export async function diff(context: Context, options: DiffOptions): Promise<void> {
  const { terminal } = context;
  const objects = await readFiles(context, options.filename);
  let different = false;
  const applied: KubeObject[] = [];
  await withApi(context, options, async (api) => {
    const failed = await forEachObject(context, objects, options.namespace ?? api.defaultNamespace, async (object) => {
      const { namespace, name } = object.metadata;
      const before = await api.resources.find(kindOf(object), namespace, name);
      const after = await api.resources.apply(object, { fieldManager: applyFieldManager, force: true, dryRun: true });
      const title = `${object.kind.toLowerCase()}/${name}`;
      const text = unifiedDiff(comparable(before), comparable(after), [`${title} (live)`, `${title} (applied)`]);
      different ||= text !== '';
      applied.push(after);
      terminal.out(coloured(context, text));
    });
    if (failed === exitCode.ok && different) {
      const { changes } = await api.preview(applied);
      terminal.out(previewText(changes, (text) => coloured(context, text), terminal.style));
    }
    context.exitCode = failed === exitCode.ok ? (different ? 1 : exitCode.ok) : failed;
  });
}

/** Proxies that are named; of more only their number is said. */
const namedProxies = 4;

/** The changes in the proxies, each as a difference of the resource that they are given. */
function previewText(changes: readonly PreviewedChange[], colour: (text: string) => string, style: Style): string {
  if (changes.length === 0) {
    return `\n${style.strong('in the proxies')}: nothing changes\n`;
  }
  const all = new Set(changes.flatMap(({ proxies }) => proxies));
  const blocks = changes.map(({ type, name, before, after, proxies }) => {
    const who =
      proxies.length <= namedProxies
        ? proxies.join(', ')
        : `${proxies.slice(0, namedProxies).join(', ')} and ${proxies.length - namedProxies} more`;
    const text = (value: unknown): string => (value === undefined ? '' : formatValue(value, 'yaml'));
    const what = before === undefined ? 'new' : after === undefined ? 'gone' : 'changed';
    return `${style.strong(`${type} ${name}`)} ${what} in ${who}\n${colour(unifiedDiff(text(before), text(after), ['now', 'after']))}`;
  });
  const count = `${changes.length} resource${changes.length === 1 ? '' : 's'} of ${all.size} prox${all.size === 1 ? 'y' : 'ies'}`;
  return `\n${style.strong('in the proxies')}: ${count}\n${blocks.join('')}`;
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
