import type { PrinterColumn } from '../kind.ts';
import type { KubeObject } from '../object.ts';

/** The column that every kind has last. */
export const age: PrinterColumn = {
  name: 'Age',
  type: 'date',
  priority: 0,
  description: 'Time since the object was created.',
  value: (object) => object.metadata.creationTimestamp,
};

/** Items of a list with commas between them; nothing for an empty list. */
export function commaList(items: readonly (string | number)[] | undefined): string | undefined {
  return items === undefined || items.length === 0 ? undefined : items.join(',');
}

/** The pairs of a map, as `key=value` with commas between them. */
export function pairList(pairs: Readonly<Record<string, string>> | undefined): string | undefined {
  return commaList(Object.entries(pairs ?? {}).map(([key, value]) => `${key}=${value}`));
}

interface WithConditions extends KubeObject {
  readonly status?:
    | {
        readonly conditions?:
          | readonly { readonly type?: string | undefined; readonly status?: string | undefined }[]
          | undefined;
      }
    | undefined;
}

/** A column with the status of one condition: True, False, Unknown, or nothing. */
function conditionColumn(type: string, description: string, priority = 0): PrinterColumn<WithConditions> {
  return {
    name: type,
    type: 'string',
    priority,
    description,
    value: (object) => object.status?.conditions?.find((condition) => condition.type === type)?.status,
  };
}

/** Accepted and Programmed, as the kinds that configure proxies have them. */
export const programmed = conditionColumn('Programmed', 'Whether all proxies concerned have applied the object.');
export const accepted = conditionColumn('Accepted', 'Whether the object is valid and used.', 1);
/** As {@link accepted}, shown without `-o wide` too. */
export const acceptedAlways = conditionColumn('Accepted', 'Whether the object is valid and used.');
