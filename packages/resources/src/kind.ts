import type { z } from 'zod';
import type { KubeObject } from './object.ts';
import type { Violation } from './violation.ts';

/** A column of `kubectl get`. */
export interface PrinterColumn {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'boolean' | 'date' | 'number';
  /** 0 is always shown, above 0 only with `-o wide`. */
  readonly priority: number;
  readonly description: string;
  /** The cell; undefined prints as `<none>`. For type `date` an RFC 3339 time. */
  readonly value: (object: KubeObject) => string | number | boolean | undefined;
}

/**
 * Everything Weft knows of a kind, declared once: served names, schema (and by it the type, the OpenAPI document and
 * structural validation), defaults, semantic validation, printer columns.
 */
export interface KindDeclaration<T extends KubeObject = KubeObject> {
  /** API group, empty for core. */
  readonly group: string;
  /** Served versions; the first is the preferred one, and the one objects are stored in. All share one schema. */
  readonly versions: readonly string[];
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  /** Whether the kind has a `status` subresource. */
  readonly hasStatus: boolean;
  /** One sentence, shown by `kubectl explain`. */
  readonly description: string;
  /**
   * The whole object below `apiVersion`, `kind` and `metadata` (`spec`, `status`, `data`, …), every object strict.
   * `.meta({ description, 'x-kubernetes-patch-merge-key', … })` flows into the OpenAPI document.
   */
  readonly schema: z.ZodType;
  /** Fills in defaults before validation; returns a new object. The API stores the result. */
  readonly withDefaults?: (object: T) => T;
  /** What the schema cannot say. Called only when the schema holds. */
  readonly validate?: (object: T) => Violation[];
  /** Compares old and new: immutable fields. Called after {@link validate}. */
  readonly validateUpdate?: (object: T, previous: T) => Violation[];
  readonly columns: readonly PrinterColumn[];
}
