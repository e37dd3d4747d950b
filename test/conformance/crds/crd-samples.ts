import type { CrdSchema } from './crds.ts';

/** Makes objects out of a CRD's schema, with a chosen value at a chosen place. */

const durationRule = /duration\(self\)/;

/** A small value that the schema allows: required fields only. */
export function sampleOf(schema: CrdSchema, name = ''): unknown {
  if (schema.enum !== undefined) {
    return schema.enum.at(-1);
  }
  switch (schema.type) {
    case 'object': {
      const fields = (schema.required ?? []).map((field) => [field, sampleOf(schema.properties?.[field] ?? {}, field)]);
      return Object.fromEntries(fields);
    }
    case 'array':
      return schema.items === undefined || (schema.minItems ?? 1) === 0 ? [] : [sampleOf(schema.items, name)];
    case 'integer':
      return Math.max(schema.minimum ?? 0, 1);
    case 'number':
      return 1;
    case 'boolean':
      return true;
    default:
      return schema['x-kubernetes-validations']?.some(({ rule }) => durationRule.test(rule)) === true
        ? '1s'
        : textFor(name);
  }
}

function textFor(name: string): string {
  return { match: 'a', address: '1.2.3.4', bytes: 'YQ==' }[name] ?? 'a';
}

/** The schema at a path of `walkSchema`. */
function step(schema: CrdSchema, segment: string): CrdSchema {
  const next =
    segment === '[]' ? schema.items : segment === '*' ? schema.additionalProperties : schema.properties?.[segment];
  return next ?? {};
}

/** An object of the schema in which `value` stands at `path`; a map gets the key `a`, or `8080` for ports. */
export function withValueAt(schema: CrdSchema, path: readonly string[], value: unknown): unknown {
  const [segment, ...rest] = path;
  if (segment === undefined) {
    return value;
  }
  const child = withValueAt(step(schema, segment), rest, value);
  if (segment === '[]') {
    return [child];
  }
  if (segment === '*') {
    return { [mapKey]: child };
  }
  return { ...(sampleOf(schema) as object), [segment]: child };
}

/** Key that stands for every key of a map; good for labels, header fields, port names and port numbers. */
const mapKey = '8080';

/** The path in Kubernetes' notation. */
export function pathText(path: readonly string[]): string {
  return path.reduce((text, segment) => {
    if (segment === '[]') {
      return `${text}[0]`;
    }
    return segment === '*' ? `${text}[${mapKey}]` : `${text}${text === '' ? '' : '.'}${segment}`;
  }, '');
}
