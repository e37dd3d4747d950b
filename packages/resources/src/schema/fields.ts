import * as z from 'zod';
import { showValue } from '../place.ts';

/**
 * Builders for the schemas of kinds. Each field has a description (it is what `kubectl explain` shows), objects are
 * strict, and fields are optional unless their object names them in `required`, as in a Kubernetes schema.
 *
 * Metadata goes into zod's registry by `register`, and checks are added at once: each chained call would clone the
 * schema, and there are some two thousand of them.
 */

type Shape = Readonly<Record<string, z.ZodType>>;
type FieldsOf<S extends Shape, R extends keyof S> = {
  -readonly [K in keyof S]: K extends R ? S[K] : z.ZodOptional<S[K]>;
};

/** Keywords that flow into the OpenAPI document as they are. */
type Keywords = Readonly<Record<`x-kubernetes-${string}` | 'format' | 'default' | 'example', unknown>>;
type SomeKeywords = Partial<Keywords>;

function withRequired<S extends Shape, R extends keyof S>(shape: S, required: readonly R[]): FieldsOf<S, R> {
  const names = new Set<PropertyKey>(required);
  const fields = Object.entries(shape).map(([name, field]) => [name, names.has(name) ? field : field.optional()]);
  return Object.fromEntries(fields) as FieldsOf<S, R>;
}

/** An object with exactly these fields. */
export function object<S extends Shape, const R extends keyof S = never>(
  description: string,
  shape: S,
  required: readonly R[] = [],
  keywords: SomeKeywords = {},
) {
  return z.strictObject(withRequired(shape, required)).register(z.globalRegistry, { description, ...keywords });
}

/** An object with these fields and any others (`x-kubernetes-preserve-unknown-fields`). */
export function openObject<S extends Shape, const R extends keyof S = never>(
  description: string,
  shape: S,
  required: readonly R[] = [],
) {
  return z
    .looseObject(withRequired(shape, required))
    .register(z.globalRegistry, { description, 'x-kubernetes-preserve-unknown-fields': true });
}

/** Any object whatsoever. */
export function anyObject(description: string) {
  return z
    .record(z.string(), z.unknown())
    .register(z.globalRegistry, { description, 'x-kubernetes-preserve-unknown-fields': true });
}

export interface TextLimits {
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: RegExp;
  /** What the pattern stands for, in words that follow "is not". */
  readonly form?: string;
}

function matches(pattern: RegExp, form: string | undefined) {
  return form === undefined
    ? z.regex(pattern)
    : z.regex(pattern, { error: (issue) => `${showValue(issue.input)} is not ${form}` });
}

export function text(description: string, limits: TextLimits = {}, keywords: SomeKeywords = {}) {
  const checks = [
    ...(limits.min === undefined ? [] : [z.minLength(limits.min)]),
    // A text that is too long ends the checks: patterns may need more time for one than its length.
    ...(limits.max === undefined ? [] : [z.maxLength(limits.max, { abort: true })]),
    ...(limits.pattern === undefined ? [] : [matches(limits.pattern, limits.form)]),
  ];
  const schema = checks.length === 0 ? z.string() : z.string().check(...checks);
  return schema.register(z.globalRegistry, { description, ...keywords });
}

/** RFC 3339 time as Kubernetes writes it. */
export function time(description: string) {
  return z
    .string()
    .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/, {
      error: (issue) => `${JSON.stringify(issue.input)} is not an RFC 3339 time such as 2026-01-31T12:00:00Z`,
    })
    .register(z.globalRegistry, { description, format: 'date-time' });
}

/** Text that no message may repeat. */
export function secretText(description: string) {
  return z.string({ error: 'must be a string' }).register(z.globalRegistry, { description });
}

/** A map of which no message may repeat anything but the keys. */
export function secretMap<V extends z.ZodType>(description: string, value: V) {
  return z
    .record(z.string(), value, { error: 'must be an object of keys and values' })
    .register(z.globalRegistry, { description });
}

/** Bytes in base64. */
export function bytes(description: string) {
  return z
    .base64({ error: 'the value is not base64 (RFC 4648 §4)' })
    .register(z.globalRegistry, { description, format: 'byte' });
}

export function flag(description: string) {
  return z.boolean().register(z.globalRegistry, { description });
}

export interface NumberLimits {
  readonly min?: number;
  readonly max?: number;
}

function bounded<S extends z.ZodNumber>(schema: S, { min, max }: NumberLimits): S {
  const checks = [...(min === undefined ? [] : [z.gte(min)]), ...(max === undefined ? [] : [z.lte(max)])];
  return checks.length === 0 ? schema : schema.check(...checks);
}

const int32Max = 2_147_483_647;

/** A whole number; without limits any that JSON carries exactly. */
export function integer(description: string, limits: NumberLimits = {}, keywords: SomeKeywords = {}) {
  return bounded(z.int(), limits).register(z.globalRegistry, { description, ...keywords });
}

export function int32(description: string, limits: NumberLimits = {}) {
  return integer(description, { min: -int32Max - 1, max: int32Max, ...limits }, { format: 'int32' });
}

export function int64(description: string, limits: NumberLimits = {}) {
  return integer(description, limits, { format: 'int64' });
}

export function uint32(description: string) {
  return integer(description, { min: 0, max: 4_294_967_295 });
}

/** A TCP or UDP port. */
export function port(description: string) {
  const error = (issue: { readonly input?: unknown }): string => `${String(issue.input)}: port must be between 1-65535`;
  return z.int().check(z.gte(1, { error }), z.lte(65_535, { error })).register(z.globalRegistry, { description });
}

/** A number that may have a fraction. */
export function decimal(description: string, limits: NumberLimits = {}) {
  return bounded(z.number(), limits).register(z.globalRegistry, { description, format: 'double' });
}

/** A port given by number or by name. */
export function intOrString(description: string) {
  return z.union([z.int(), z.string()]).register(z.globalRegistry, { description, 'x-kubernetes-int-or-string': true });
}

/** One of a closed set of words. */
export function choice<const V extends readonly [string, ...string[]]>(
  description: string,
  values: V,
  keywords: SomeKeywords = {},
) {
  return z.enum(values).register(z.globalRegistry, { description, ...keywords });
}

/** One of a closed set of whole numbers. */
export function integerChoice<const V extends number>(
  description: string,
  values: readonly V[],
  keywords: SomeKeywords = {},
) {
  const schema = z.literal([...values]);
  z.globalRegistry.add(schema as z.ZodType, { description, type: 'integer', ...keywords });
  return schema;
}

export interface ListLimits {
  readonly min?: number;
  readonly max?: number;
}

/** A list that is replaced as a whole. */
export function list<I extends z.ZodType>(
  description: string,
  item: I,
  limits: ListLimits = {},
  keywords: SomeKeywords = {},
) {
  const { min, max } = limits;
  const checks = [...(min === undefined ? [] : [z.minLength(min)]), ...(max === undefined ? [] : [z.maxLength(max)])];
  const schema = checks.length === 0 ? z.array(item) : z.array(item).check(...checks);
  return schema.register(z.globalRegistry, { description, ...keywords });
}

/** A list of distinct values, merged as a set by server-side apply. */
export function set<I extends z.ZodType>(description: string, item: I, keywords: SomeKeywords = {}) {
  return list(description, item, {}, { 'x-kubernetes-list-type': 'set', ...keywords });
}

/** Keys of a list that is merged item by item. */
export interface MergeKeys {
  /** What server-side apply tells items apart by. Absent when the list is atomic for it. */
  readonly listMapKeys?: readonly string[];
  /** What a strategic merge patch tells items apart by. Absent for kinds that have none (Istio's). */
  readonly patchMergeKey?: string;
}

/** A list of objects that are merged by key. */
export function keyedList<I extends z.ZodType>(description: string, item: I, keys: MergeKeys, limits: ListLimits = {}) {
  return list(description, item, limits, {
    ...(keys.listMapKeys === undefined
      ? {}
      : { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': keys.listMapKeys }),
    ...(keys.patchMergeKey === undefined
      ? {}
      : { 'x-kubernetes-patch-merge-key': keys.patchMergeKey, 'x-kubernetes-patch-strategy': 'merge' }),
  });
}

/** A map from names to values. */
export function map<V extends z.ZodType>(
  description: string,
  value: V,
  limits: ListLimits = {},
  keywords: SomeKeywords = {},
) {
  const { min = 0, max = Number.POSITIVE_INFINITY } = limits;
  const schema = z.record(z.string(), value);
  const limited =
    limits.min === undefined && limits.max === undefined
      ? schema
      : schema.check((payload) => {
          const count = Object.keys(payload.value).length;
          if (count < min || count > max) {
            const bound = count < min ? `at least ${min}` : `at most ${max}`;
            payload.issues.push({
              code: 'custom',
              input: payload.value,
              message: `${count} entries: there may be ${bound}`,
            });
          }
        });
  return limited.register(z.globalRegistry, {
    description,
    ...(limits.min === undefined ? {} : { minProperties: limits.min }),
    ...(limits.max === undefined ? {} : { maxProperties: limits.max }),
    ...keywords,
  });
}
