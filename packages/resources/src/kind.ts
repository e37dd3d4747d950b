import type { z } from 'zod';
import type { KubeObject } from './object.ts';
import type { Violation } from './violation.ts';

/** A column of `kubectl get`. */
export interface PrinterColumn<T extends KubeObject = KubeObject> {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'boolean' | 'date' | 'number';
  /** 0 is always shown, above 0 only with `-o wide`. */
  readonly priority: number;
  readonly description: string;
  /** The cell; undefined prints as `<none>`. For type `date` an RFC 3339 time. */
  value(object: T): string | number | boolean | undefined;
}

/**
 * What names objects of a kind may have: an RFC 1123 subdomain (the default), an RFC 1123 label, an RFC 1035 label (for
 * what becomes a DNS name), or any one segment of a URL's path (RBAC: `system:admin`).
 */
export type NameFormat = 'subdomain' | 'label' | 'dns-label' | 'path-segment';

/**
 * Everything Weft knows of a kind, declared once: served names, schema (and by it the type, the OpenAPI document and
 * structural validation), defaults, semantic validation, printer columns.
 */
export interface KindDeclaration<T extends KubeObject = KubeObject> {
  /** API group, empty for core. */
  readonly group: string;
  /** Served versions; the first is the preferred one, and the one objects are stored in. All share one schema. */
  readonly versions: readonly string[];
  /** Those of `versions` that users are warned off. Default none. */
  readonly deprecatedVersions?: readonly string[];
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  /** Default `subdomain`. */
  readonly nameFormat?: NameFormat;
  /** Whether the kind has a `status` subresource. */
  readonly hasStatus: boolean;
  /** One sentence, shown by `kubectl explain`. */
  readonly description: string;
  /**
   * The whole object below `apiVersion`, `kind` and `metadata` (`spec`, `status`, `data`, …), every object strict.
   * `.meta({ description, 'x-kubernetes-patch-merge-key', … })` flows into the OpenAPI document.
   */
  readonly schema: z.ZodType;
  /** Fills in defaults; returns a new object. Called only when the schema holds. The API stores the result. */
  withDefaults?(object: T): T;
  /** What the schema cannot say. Called, on the object with its defaults, only when the schema holds. */
  validate?(object: T): Violation[];
  /** What is allowed but hardly meant: rules that can never match, fields that are deprecated. Never refuses. */
  warnings?(object: T): Violation[];
  /** Compares old and new: immutable fields. Called after {@link validate}. */
  validateUpdate?(object: T, previous: T): Violation[];
  readonly columns: readonly PrinterColumn<T>[];
}
