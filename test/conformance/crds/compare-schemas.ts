import type { CrdSchema } from './crds.ts';

const portRule = 'port must be between 1-65535';

/** What is compared of a schema; the rest is walked. */
const keywords = [
  ...['type', 'format', 'pattern', 'minimum', 'maximum', 'minLength', 'maxLength', 'minItems', 'maxItems'],
  ...['minProperties', 'maxProperties', 'x-kubernetes-int-or-string', 'x-kubernetes-preserve-unknown-fields'],
  ...['x-kubernetes-list-type', 'x-kubernetes-list-map-keys', 'x-kubernetes-map-type', 'default'],
] as const;

const int32Range = { minimum: -2_147_483_648, maximum: 2_147_483_647 };

export interface CompareOptions {
  /** By patterns of the CRD what ours has in their place: another that accepts the same texts, or none. */
  readonly otherPatterns?: Readonly<Record<string, string | undefined>>;
  /** Whether ours may have fields that the CRD has not, and stand for a later version of it. Default false. */
  readonly extrasAllowed?: boolean;
}

/** A slash needs no escape but in a literal of JavaScript, whose `source` has it everywhere. */
function withoutEscapes(pattern: string | undefined): string | undefined {
  return pattern?.replaceAll('\\/', '/');
}

/** The CRD's schema as ours would say it. */
function expected(crd: CrdSchema, { otherPatterns = {} }: CompareOptions): CrdSchema {
  const isPort = crd['x-kubernetes-validations']?.some(({ message }) => message === portRule) === true;
  if (isPort && crd.type === 'integer') {
    // The rule is a bound, and we write it as one.
    return { ...crd, minimum: 1, maximum: 65_535 };
  }
  const { pattern, ...rest } = crd;
  const other = pattern !== undefined && Object.hasOwn(otherPatterns, pattern) ? otherPatterns[pattern] : pattern;
  // The range of the format goes without saying in a CRD.
  return {
    ...(crd.format === 'int32' ? int32Range : {}),
    ...rest,
    ...(other === undefined ? {} : { pattern: other }),
  };
}

/** A text that is the same for equal values, whatever the order of their fields. */
function canonical(value: unknown): string | undefined {
  return JSON.stringify(value, (_key, child: unknown) =>
    typeof child === 'object' && child !== null && !Array.isArray(child)
      ? Object.fromEntries(Object.entries(child).sort(([a], [b]) => (a < b ? -1 : 1)))
      : child,
  );
}

function sameKeyword(keyword: (typeof keywords)[number], wanted: CrdSchema, ours: CrdSchema): boolean {
  if (keyword === 'pattern') {
    return withoutEscapes(wanted.pattern) === withoutEscapes(ours.pattern);
  }
  return canonical(wanted[keyword]) === canonical(ours[keyword]);
}

/** Adds to `differences` what ours has otherwise than the CRD; returns how many fields were compared. */
export function compareSchemas(
  crd: CrdSchema,
  ours: CrdSchema | undefined,
  path: string,
  differences: string[],
  options: CompareOptions = {},
): number {
  if (ours === undefined) {
    differences.push(`${path}: missing`);
    return 0;
  }
  const wanted = expected(crd, options);
  for (const keyword of keywords) {
    if (!sameKeyword(keyword, wanted, ours)) {
      differences.push(
        `${path}: ${keyword} is ${JSON.stringify(ours[keyword])}, not ${JSON.stringify(wanted[keyword])}`,
      );
    }
  }
  for (const keyword of ['required', 'enum'] as const) {
    const [a = [], b = []] = [wanted[keyword], ours[keyword]].map((values) => [...(values ?? [])].sort());
    const missing = a.filter((value) => !b.includes(value));
    const same = a.join() === b.join();
    if (!(options.extrasAllowed === true && keyword === 'enum' && a.length > 0 ? missing.length === 0 : same)) {
      differences.push(`${path}: ${keyword} is ${b.join()}, not ${a.join()}`);
    }
  }
  if (options.extrasAllowed !== true) {
    const extra = Object.keys(ours.properties ?? {}).filter((name) => crd.properties?.[name] === undefined);
    differences.push(...extra.map((name) => `${path}.${name}: not in the CRD`));
  }
  let fields = 1;
  for (const [name, child] of Object.entries(crd.properties ?? {})) {
    fields += compareSchemas(child, ours.properties?.[name], `${path}.${name}`, differences, options);
  }
  if (crd.items !== undefined) {
    fields += compareSchemas(crd.items, ours.items, `${path}[]`, differences, options);
  }
  if (typeof crd.additionalProperties === 'object') {
    fields += compareSchemas(crd.additionalProperties, ours.additionalProperties, `${path}{}`, differences, options);
  } else if (ours.additionalProperties !== undefined) {
    differences.push(`${path}: a map, not an object with fields`);
  }
  return fields;
}
