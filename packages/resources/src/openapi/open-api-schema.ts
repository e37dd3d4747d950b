import * as z from 'zod';
import { apiVersionOf } from '../declare-kind.ts';
import type { KindDeclaration } from '../kind.ts';
import { metadataSchema } from '../schema/metadata.ts';

/** A schema of OpenAPI 3.0 with the extensions of Kubernetes, without references. */
export interface OpenApiSchema {
  /** Absent for any value, and for whole numbers or strings (`x-kubernetes-int-or-string`). */
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  readonly description?: string;
  readonly format?: string;
  readonly enum?: readonly (string | number)[];
  /** What stands for an absent value; merging needs it for the keys of lists. */
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, OpenApiSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: OpenApiSchema;
  readonly items?: OpenApiSchema;
  readonly anyOf?: readonly OpenApiSchema[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly pattern?: string;
  readonly 'x-kubernetes-int-or-string'?: boolean;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
  /** How server-side apply merges a list: as a whole, as a set of values, or item by item. */
  readonly 'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map';
  /** For list type `map`: the fields that tell items apart. */
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  /** `atomic`: an object that is replaced as a whole. */
  readonly 'x-kubernetes-map-type'?: 'atomic' | 'granular';
  /** `merge`: a strategic merge patch merges the list, by this key where items are objects. */
  readonly 'x-kubernetes-patch-strategy'?: string;
  readonly 'x-kubernetes-patch-merge-key'?: string;
  readonly 'x-kubernetes-group-version-kind'?: readonly {
    readonly group: string;
    readonly version: string;
    readonly kind: string;
  }[];
}

/** What zod writes down of a schema that Kubernetes' documents leave out. */
function tidy(schema: Record<string, unknown>): void {
  if (schema['additionalProperties'] === false || isEmptyObject(schema['additionalProperties'])) {
    delete schema['additionalProperties'];
  }
  if (schema['minimum'] === Number.MIN_SAFE_INTEGER) {
    delete schema['minimum'];
  }
  if (schema['maximum'] === Number.MAX_SAFE_INTEGER) {
    delete schema['maximum'];
  }
  if (schema['format'] === 'date-time' || schema['format'] === 'byte') {
    delete schema['pattern'];
    delete schema['contentEncoding'];
  }
  delete schema['propertyNames'];
}

function isEmptyObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

function convert(schema: z.ZodType): OpenApiSchema {
  const { '~standard': _validator, ...converted } = z.toJSONSchema(schema, {
    target: 'openapi-3.0',
    override: ({ jsonSchema }) => tidy(jsonSchema as Record<string, unknown>),
  }) as Record<string, unknown>;
  delete converted['$schema'];
  return converted as OpenApiSchema;
}

const bodies = new WeakMap<KindDeclaration, OpenApiSchema>();
let metadata: OpenApiSchema | undefined;

function bodyOf(kind: KindDeclaration): OpenApiSchema {
  const known = bodies.get(kind);
  if (known !== undefined) {
    return known;
  }
  const body = convert(kind.schema);
  bodies.set(kind, body);
  return body;
}

/**
 * The schema of a kind's objects as `/openapi/v3` serves it: with descriptions on every field (for `kubectl explain`)
 * and with what merging needs to know of each list and map. Built once for each kind and shared: treat it as frozen.
 * @param version one of `kind.versions`; the preferred one by default.
 */
export function openApiSchema(kind: KindDeclaration, version = kind.versions[0] ?? 'v1'): OpenApiSchema {
  metadata ??= convert(metadataSchema());
  const body = bodyOf(kind);
  return {
    type: 'object',
    description: kind.description,
    properties: {
      apiVersion: {
        type: 'string',
        description: `Group and version: ${apiVersionOf({ group: kind.group, version })}.`,
      },
      kind: { type: 'string', description: `The kind: ${kind.kind}.` },
      metadata,
      ...body.properties,
    },
    ...(body.required === undefined ? {} : { required: body.required }),
    'x-kubernetes-group-version-kind': [{ group: kind.group, version, kind: kind.kind }],
  };
}
