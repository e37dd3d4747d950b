import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';

/** The parts of a CRD's structural schema that the tests look at. */
export interface CrdSchema {
  readonly type?: string;
  readonly format?: string;
  readonly pattern?: string;
  readonly enum?: readonly (string | number)[];
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, CrdSchema>>;
  readonly required?: readonly string[];
  readonly items?: CrdSchema;
  readonly additionalProperties?: CrdSchema;
  readonly oneOf?: readonly CrdSchema[];
  readonly anyOf?: readonly CrdSchema[];
  readonly allOf?: readonly CrdSchema[];
  readonly not?: CrdSchema;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly 'x-kubernetes-int-or-string'?: boolean;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
  readonly 'x-kubernetes-map-type'?: string;
  readonly 'x-kubernetes-list-type'?: string;
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-validations'?: readonly { readonly rule: string; readonly message: string }[];
}

interface Crd {
  readonly spec: {
    readonly group: string;
    readonly names: {
      readonly kind: string;
      readonly plural: string;
      readonly singular: string;
      readonly shortNames?: readonly string[];
      readonly categories?: readonly string[];
    };
    readonly scope: string;
    readonly versions: readonly {
      readonly name: string;
      readonly served: boolean;
      readonly storage: boolean;
      readonly deprecated?: boolean;
      readonly additionalPrinterColumns?: readonly {
        readonly name: string;
        readonly type: string;
        readonly priority?: number;
      }[];
      readonly subresources?: { readonly status?: object };
      readonly schema: { readonly openAPIV3Schema: CrdSchema };
    }[];
  };
}

export function readCrds(path: string): Crd[] {
  return parseAllDocuments(readFileSync(path, 'utf8')).flatMap((document) => {
    const value = document.toJS() as Crd | null;
    return value?.spec?.names === undefined ? [] : [value];
  });
}

/** Calls `visit` for the schema and everything in it; `[]` steps into items, `*` into the values of a map. */
export function walkSchema(
  schema: CrdSchema,
  visit: (schema: CrdSchema, path: readonly string[]) => void,
  path: readonly string[] = [],
): void {
  visit(schema, path);
  for (const [name, child] of Object.entries(schema.properties ?? {})) {
    walkSchema(child, visit, [...path, name]);
  }
  if (schema.items !== undefined) {
    walkSchema(schema.items, visit, [...path, '[]']);
  }
  if (typeof schema.additionalProperties === 'object') {
    walkSchema(schema.additionalProperties, visit, [...path, '*']);
  }
}
