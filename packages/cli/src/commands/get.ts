import type { KindDeclaration, KubeObject } from '@weft/resources';
import { kindByName } from '../api/kind-names.ts';
import type { ApiTable } from '../api/resource-api.ts';
import { usageFailure } from '../cli-failure.ts';
import { type ApiFlags, type Context, withApi } from '../context.ts';
import { type OutputFormat, parseOutputFormat, printValue } from '../terminal/output.ts';
import { printable } from '../terminal/style.ts';
import { formatTable } from '../terminal/table.ts';

export interface GetOptions extends ApiFlags {
  readonly namespace?: string;
  readonly allNamespaces?: boolean;
  readonly selector?: string;
  readonly output?: string;
}

/** One thing asked for: `vs`, `vs reviews`, `vs/reviews`. */
export interface Target {
  readonly kind: KindDeclaration;
  readonly name: string | undefined;
}

/** `KIND[,KIND] [NAME…]` or `KIND/NAME…`, as kubectl reads it. */
export function parseTargets(words: readonly string[]): Target[] {
  const [first, ...rest] = words;
  if (first === undefined) {
    throw usageFailure('no kind was named', 'for example: weft get virtualservices, or weft get proxy reviews-v1');
  }
  if (words.some((word) => word.includes('/'))) {
    return words.map((word) => {
      const [kind = '', name = '', ...more] = word.split('/');
      if (kind === '' || name === '' || more.length > 0) {
        throw usageFailure(`${JSON.stringify(word)} is not of the form KIND/NAME`, 'write every argument as KIND/NAME');
      }
      return { kind: kindByName(kind), name };
    });
  }
  const kinds = first.split(',').map(kindByName);
  return rest.length === 0
    ? kinds.map((kind) => ({ kind, name: undefined }))
    : kinds.flatMap((kind) => rest.map((name) => ({ kind, name })));
}

/** `weft get` */
export async function get(context: Context, words: readonly string[], options: GetOptions): Promise<void> {
  const { terminal } = context;
  const format = parseOutputFormat(options.output, ['table', 'wide', 'json', 'yaml', 'name']);
  const targets = parseTargets(words);
  await withApi(context, options, async (api) => {
    const namespace = options.allNamespaces === true ? undefined : (options.namespace ?? api.defaultNamespace);
    const query = { labelSelector: options.selector };
    if (format === 'table' || format === 'wide') {
      for (const [index, { kind, name }] of targets.entries()) {
        const table = await api.resources.table(kind, namespace, name, query);
        const text = tableText(table, format, options.allNamespaces === true && kind.namespaced);
        if (targets.length > 1 && index > 0 && text !== '') {
          terminal.out('\n');
        }
        if (text === '') {
          terminal.err(
            `no ${kind.plural}${namespace === undefined || !kind.namespaced ? '' : ` in namespace ${namespace}`}\n`,
          );
        }
        terminal.out(text);
      }
      return;
    }
    const objects: KubeObject[] = [];
    for (const { kind, name } of targets) {
      objects.push(
        ...(name === undefined
          ? await api.resources.list(kind, namespace, query)
          : [await api.resources.get(kind, namespace, name)]),
      );
    }
    printObjects(context, targets, objects, format);
  });
}

function printObjects(
  { terminal }: Context,
  targets: readonly Target[],
  objects: readonly KubeObject[],
  format: OutputFormat,
): void {
  if (format === 'name') {
    for (const object of objects) {
      terminal.out(`${object.kind.toLowerCase()}/${object.metadata.name}\n`);
    }
    return;
  }
  const [only] = objects;
  const single = targets.length === 1 && targets[0]?.name !== undefined;
  const value = single ? only : { apiVersion: 'v1', kind: 'List', items: objects };
  printValue(terminal, value, format === 'json' ? 'json' : 'yaml');
}

/** Empty when there are no rows. */
export function tableText(table: ApiTable, format: 'table' | 'wide', withNamespace: boolean): string {
  if (table.rows.length === 0) {
    return '';
  }
  const shown = table.columnDefinitions
    .map((column, index) => ({ column, index }))
    .filter(({ column }) => format === 'wide' || column.priority === 0);
  const columns = [
    ...(withNamespace ? [{ title: 'NAMESPACE' }] : []),
    ...shown.map(({ column }) => ({ title: column.name.toUpperCase() })),
  ];
  const rows = table.rows.map((row) => [
    ...(withNamespace ? [row.object?.metadata?.namespace ?? ''] : []),
    ...shown.map(({ index }) => cellText(row.cells[index])),
  ]);
  return formatTable(columns, rows);
}

function cellText(cell: unknown): string {
  return cell === null || cell === undefined ? '' : printable(String(cell));
}
