/** How one value is written on the wire, and what it becomes in JSON. */
export type ValueType = 'text' | 'bytes' | 'flag' | 'integer' | 'time' | 'microTime' | 'intOrString' | 'json' | Message;

/**
 * One field of a message. `plain` values are left out of the JSON when they are zero, because Go writes those that were never
 * set; `optional` ones are written only when set; `needed` lists are there also when they are empty; `ignored` is read past.
 */
export interface Field {
  readonly number: number;
  readonly type: ValueType;
  readonly shape: 'plain' | 'optional' | 'list' | 'needed' | 'map' | 'ignored';
}

/** The fields of a message by their name in JSON. */
export interface Message {
  readonly byNumber: ReadonlyMap<number, Field & { readonly name: string }>;
}

export function message(fields: Readonly<Record<string, Field>>): Message {
  return {
    byNumber: new Map(Object.entries(fields).map(([name, field]) => [field.number, { name, ...field }])),
  };
}

const plain = (number: number, type: ValueType): Field => ({ number, type, shape: 'plain' });

export const text = (number: number): Field => plain(number, 'text');
export const bytes = (number: number): Field => plain(number, 'bytes');
export const flag = (number: number): Field => plain(number, 'flag');
export const integer = (number: number): Field => plain(number, 'integer');
export const time = (number: number): Field => plain(number, 'time');
export const microTime = (number: number): Field => plain(number, 'microTime');
export const intOrString = (number: number): Field => plain(number, 'intOrString');
/** A message whose one field holds JSON text (`meta.v1.FieldsV1`). */
export const json = (number: number): Field => plain(number, 'json');
export const inner = (number: number, type: Message): Field => plain(number, type);
export const optional = (field: Field): Field => ({ ...field, shape: 'optional' });
export const list = (field: Field): Field => ({ ...field, shape: 'list' });
export const needed = (field: Field): Field => ({ ...field, shape: 'needed' });
export const mapOf = (field: Field): Field => ({ ...field, shape: 'map' });
/** What only the server writes: reviews come with an empty `status`. */
export const ignored = (number: number): Field => ({ number, type: 'bytes', shape: 'ignored' });
