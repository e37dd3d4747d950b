import type { z } from 'zod';
import type { KindDeclaration } from './kind.ts';
import type { GroupVersionKind, KubeObject } from './object.ts';
import { fillDefaults } from './schema/fill-defaults.ts';

/** A JSON value's type with nothing in it assignable. */
export type Immutable<T> = T extends readonly (infer E)[]
  ? readonly Immutable<E>[]
  : T extends object
    ? { readonly [K in keyof T]: Immutable<T[K]> }
    : T;

/** The type of a kind's objects, made from its schema. */
export type ObjectOf<S extends () => z.ZodType> = KubeObject & Immutable<z.infer<ReturnType<S>>>;

type LazyDeclaration<T extends KubeObject> = Omit<KindDeclaration<T>, 'schema'> & {
  readonly schema: () => z.ZodType;
  /** Whether absent fields get the `default` of their schema; in place of `withDefaults`. */
  readonly structuralDefaults?: boolean;
};

/** Makes a declaration whose schema is built on first use: most processes use few of the kinds. */
export function declareKind<T extends KubeObject>(declaration: LazyDeclaration<T>): KindDeclaration<T> {
  const build = declaration.schema;
  let built: z.ZodType | undefined;
  const schema = (): z.ZodType => {
    built ??= build();
    return built;
  };
  const { schema: _, structuralDefaults = false, ...rest } = declaration;
  const kind = structuralDefaults ? { ...rest, withDefaults: (object: T) => fillDefaults(schema(), object) } : rest;
  return Object.defineProperty(kind, 'schema', { enumerable: true, get: schema }) as KindDeclaration<T>;
}

/** The preferred group, version and kind. */
export function gvkOf(kind: KindDeclaration): GroupVersionKind {
  return { group: kind.group, version: kind.versions[0] ?? 'v1', kind: kind.kind };
}

/** `v1` for core, `group/version` otherwise. */
export function apiVersionOf(gvk: { readonly group: string; readonly version: string }): string {
  return gvk.group === '' ? gvk.version : `${gvk.group}/${gvk.version}`;
}
