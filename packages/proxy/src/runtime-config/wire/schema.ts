/**
 * What the proxy understands of xDS, field by field. A message schema lists the fields that are acted upon, with their
 * protobuf names (so that a path in an error is the path in Envoy's documentation), and the names of those that are not.
 * {@link decodeMessage} refuses every field that is set and not acted upon, at any depth, inside `Any` as well, and
 * numbers that neither list knows. A converter cannot read what its schema does not have.
 */

/** A JSON object: `google.protobuf.Struct`. */
export type JsonObject = { readonly [key: string]: JsonValue };
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;

export type FieldKind =
  | 'string'
  | 'bytes'
  | 'bool'
  | 'uint32'
  | 'int64'
  | 'uint64'
  | 'double'
  | 'enum'
  | 'message'
  | 'any'
  | 'struct'
  | 'duration'
  | 'boolValue'
  | 'uint32Value'
  | 'uint64Value';

declare const fieldType: unique symbol;

/** One supported field; `T` is what it decodes to. */
export interface Field<T = unknown> {
  readonly number: number;
  readonly kind: FieldKind;
  readonly shape: 'single' | 'repeated' | 'map';
  /** Scalars: true for members of a oneof, which are undefined when absent rather than the zero value. */
  readonly optional: boolean;
  /** Of `enum`. */
  readonly values?: ReadonlyMap<number, string>;
  /** Of `message`. */
  readonly message?: AnyMessage;
  /** Of `any`: the types that may be inside. */
  readonly types?: readonly AnyMessage[];
  /** Of `any`: other types are left to whoever chooses among alternatives, see {@link UnknownAny}. */
  readonly open?: boolean;
  /** Only this value is acted upon; another one is refused. */
  readonly only?: unknown;
  /** Of `message`: what came on the wire is left as it is, see {@link RawMessage}. */
  readonly raw?: boolean;
  readonly [fieldType]?: T;
}

export type Fields = Readonly<Record<string, Field>>;

/** A message type and what is supported of it. */
export interface Message<F extends Fields = Fields> {
  /** Protobuf full name. */
  readonly name: string;
  readonly fields: F;
  /** Names of the known fields that are not supported, by number. */
  readonly unsupported: ReadonlyMap<number, string>;
  /** Groups of fields of which at most one may be set. */
  readonly oneofs: readonly (readonly string[])[];
  /** By number; made from `fields`. */
  readonly byNumber: ReadonlyMap<number, { readonly key: string; readonly field: Field }>;
}

/** A message whatever its fields. */
export type AnyMessage = Message<Fields>;

/** The value that a schema decodes to. */
export type Decoded<M> = M extends Message<infer F> ? { readonly [K in keyof F]: FieldValue<F[K]> } : never;
type FieldValue<F> = F extends Field<infer T> ? T : never;

/** What an `Any` field decodes to: the name of the type and its message. */
export type DecodedAny<M extends AnyMessage> = M extends AnyMessage
  ? { readonly type: M['name']; readonly value: Decoded<M> }
  : never;

/**
 * Declares a message.
 * @param unsupported known but unsupported fields as `number:name` separated by spaces.
 */
export function message<const N extends string, F extends Fields>(
  name: N,
  fields: F,
  unsupported = '',
  oneofs: readonly (readonly (keyof F & string)[])[] = [],
): Message<F> & { readonly name: N } {
  return {
    name,
    fields,
    unsupported: new Map(
      unsupported
        .split(' ')
        .filter((entry) => entry !== '')
        .map((entry) => {
          const [number = '', field = ''] = entry.split(':');
          return [Number(number), field];
        }),
    ),
    oneofs,
    byNumber: new Map(Object.entries(fields).map(([key, field]) => [field.number, { key, field }])),
  };
}

function scalar<T>(kind: FieldKind, number: number): Field<T> {
  return { number, kind, shape: 'single', optional: false };
}

export const string = (number: number): Field<string> => scalar('string', number);
export const bytes = (number: number): Field<Uint8Array> => scalar('bytes', number);
export const bool = (number: number): Field<boolean> => scalar('bool', number);
export const uint32 = (number: number): Field<number> => scalar('uint32', number);
export const int64 = (number: number): Field<bigint> => scalar('int64', number);
export const uint64 = (number: number): Field<bigint> => scalar('uint64', number);
export const double = (number: number): Field<number> => scalar('double', number);
/** Milliseconds; undefined when absent. */
export const duration = (number: number): Field<number | undefined> => scalar('duration', number);
export const struct = (number: number): Field<JsonObject | undefined> => scalar('struct', number);
export const boolValue = (number: number): Field<boolean | undefined> => scalar('boolValue', number);
export const uint32Value = (number: number): Field<number | undefined> => scalar('uint32Value', number);
/** For sizes: numbers beyond 2^53 lose digits, and are out of every bound anyway. */
export const uint64Value = (number: number): Field<number | undefined> => scalar('uint64Value', number);

/** An enum, decoded to the name of its value; another number is refused. `names` is `NAME=0 NAME=1 …`. */
export function enumeration<const S extends string>(number: number, names: S): Field<EnumNames<S>> {
  const values = new Map(
    names.split(' ').map((entry) => {
      const [name = '', value = ''] = entry.split('=');
      return [Number(value), name];
    }),
  );
  return { number, kind: 'enum', shape: 'single', optional: false, values };
}

type EnumNames<S extends string> = S extends `${infer Head} ${infer Tail}`
  ? EnumNames<Head> | EnumNames<Tail>
  : S extends `${infer Name}=${string}`
    ? Name
    : never;

/** A message that whoever needs it decodes: its bytes, or its fields where the resource was written in JSON. */
export type RawMessage<M extends AnyMessage> =
  | { readonly bytes: Uint8Array; readonly message: undefined }
  | { readonly bytes: undefined; readonly message: Decoded<M> };

/** Messages of which there are many and most are known already: {@link RawMessage}. */
export function rawNested<M extends AnyMessage>(number: number, type: M): Field<RawMessage<M> | undefined> {
  return { number, kind: 'message', shape: 'single', optional: false, message: type, raw: true };
}

export function nested<M extends AnyMessage>(number: number, type: M): Field<Decoded<M> | undefined> {
  return { number, kind: 'message', shape: 'single', optional: false, message: type };
}

/** As {@link nested}, of a message that is declared later, because it holds itself. */
export function nestedLater<T>(number: number, type: () => AnyMessage, shape: 'single' | 'repeated'): Field<T> {
  return {
    number,
    kind: 'message',
    shape,
    optional: false,
    get message() {
      return type();
    },
  };
}

/** A `google.protobuf.Any` that may hold one of `types`; another type URL is refused. */
export function any<const M extends readonly AnyMessage[]>(
  number: number,
  types: M,
): Field<DecodedAny<M[number]> | undefined> {
  return { number, kind: 'any', shape: 'single', optional: false, types };
}

/** An `Any` of a type that this proxy does not know. */
export interface UnknownAny {
  readonly type: 'unknown';
  readonly value: { readonly typeUrl: string };
}

/** As {@link any}, where another type URL is one of several alternatives of which the first that is known is taken. */
export function openAny<const M extends readonly AnyMessage[]>(
  number: number,
  types: M,
): Field<DecodedAny<M[number]> | UnknownAny | undefined> {
  return { number, kind: 'any', shape: 'single', optional: false, types, open: true };
}

export function repeated<T>(field: Field<T>): Field<readonly NonNullable<T>[]> {
  return { ...field, shape: 'repeated' } as Field<readonly NonNullable<T>[]>;
}

/** A map from string. */
export function map<T>(field: Field<T>): Field<ReadonlyMap<string, NonNullable<T>>> {
  return { ...field, shape: 'map' } as Field<ReadonlyMap<string, NonNullable<T>>>;
}

/** A scalar member of a oneof: undefined when absent. */
export function optional<T>(field: Field<T>): Field<T | undefined> {
  return { ...field, optional: true } as Field<T | undefined>;
}

/** Accepts the field with one value, which is what the proxy does anyway, and refuses others. */
export function only<T>(field: Field<T>, value: NonNullable<T>): Field<T> {
  return { ...field, only: value };
}
