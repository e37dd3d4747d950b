import type { z } from 'zod';
import { formatPath, joinPath, type PathSegment } from '../field-path.ts';
import { showValue } from '../place.ts';
import { type Violation, type ViolationCode, violationsMax } from '../violation.ts';
import { didYouMean } from './did-you-mean.ts';
import { childSchema, fieldsOf } from './structure.ts';

type RawIssue = z.core.$ZodRawIssue;
type Issue = z.core.$ZodIssue;

function typeName(value: unknown): string {
  if (value === null) {
    return 'null';
  }
  if (Array.isArray(value)) {
    return 'a list';
  }
  return typeof value === 'object' ? 'an object' : `the ${typeof value} ${showValue(value)}`;
}

const expectedNames: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};

/** The messages of structural violations; a schema's own message goes before these. */
function message(issue: RawIssue): string {
  const value = showValue(issue.input);
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined
        ? 'the field is missing'
        : `must be ${expectedNames[issue.expected] ?? issue.expected}, not ${typeName(issue.input)}`;
    case 'invalid_value':
      return issue.input === undefined
        ? 'the field is missing'
        : `${value} is not one of ${issue.values.map(String).join(', ')}`;
    case 'invalid_format':
      return `${value} should match ${String(issue.pattern ?? issue.format)}`;
    case 'invalid_union':
      return issue.input === undefined
        ? 'the field is missing'
        : `must be a whole number or a string, not ${typeName(issue.input)}`;
    case 'too_small':
      return sizeMessage(issue.origin, 'at least', Number(issue.minimum), issue.input);
    case 'too_big':
      return sizeMessage(issue.origin, 'at most', Number(issue.maximum), issue.input);
    default:
      return `${value}: not a valid value`;
  }
}

function sizeMessage(origin: string, bound: 'at least' | 'at most', limit: number, input: unknown): string {
  if (origin === 'string') {
    return `has ${String(input).length} characters, ${bound} ${limit} are allowed`;
  }
  if (origin === 'array') {
    return `has ${Array.isArray(input) ? input.length : 'too many'} items, ${bound} ${limit} are allowed`;
  }
  const relation = bound === 'at least' ? 'greater' : 'less';
  return `${showValue(input)} should be ${relation} than or equal to ${limit}`;
}

interface Judged {
  readonly code: ViolationCode;
  readonly fix: string;
}

function judge(issue: Issue): Judged {
  switch (issue.code) {
    case 'invalid_type':
    case 'invalid_union': {
      if (issue.input === undefined) {
        return { code: 'FieldValueRequired', fix: 'Add the field.' };
      }
      return { code: 'FieldValueTypeInvalid', fix: typeFix(issue) };
    }
    case 'invalid_value': {
      const values = issue.values.map(String);
      if (issue.input === undefined) {
        return { code: 'FieldValueRequired', fix: `Add the field, as one of ${values.join(', ')}.` };
      }
      const near = typeof issue.input === 'string' ? didYouMean(issue.input, values) : undefined;
      return {
        code: typeof issue.input === typeof issue.values[0] ? 'FieldValueNotSupported' : 'FieldValueTypeInvalid',
        fix: near === undefined ? `Use one of ${values.join(', ')}.` : `Did you mean ${near}?`,
      };
    }
    case 'too_big':
      return issue.origin === 'string' || issue.origin === 'array'
        ? { code: 'FieldValueTooLong', fix: `Use at most ${issue.maximum}.` }
        : { code: 'FieldValueInvalid', fix: `Use a number of at most ${issue.maximum}.` };
    case 'too_small':
      return issue.origin === 'string' || issue.origin === 'array'
        ? { code: 'FieldValueRequired', fix: `Give at least ${issue.minimum}.` }
        : { code: 'FieldValueInvalid', fix: `Use a number of at least ${issue.minimum}.` };
    case 'invalid_format':
      return { code: 'FieldValueInvalid', fix: formatFix(issue.format) };
    default:
      return { code: 'FieldValueInvalid', fix: 'Write the value as the message says.' };
  }
}

function formatFix(format: string): string {
  return format === 'base64' ? 'Encode the value as base64 with padding.' : 'Write the value in the form named.';
}

function typeFix(issue: Issue): string {
  const { input } = issue;
  const expected = issue.code === 'invalid_type' ? issue.expected : 'union';
  if (expected === 'string' && (typeof input === 'number' || typeof input === 'boolean')) {
    return 'Put the value in quotes.';
  }
  if (typeof input === 'string' && (expected === 'int' || expected === 'number') && /^-?\d+(\.\d+)?$/.test(input)) {
    return 'Write the value without quotes.';
  }
  if (typeof input === 'string' && expected === 'boolean' && /^(true|false)$/.test(input)) {
    return 'Write the value without quotes.';
  }
  if (expected === 'array') {
    return 'Write a list; in YAML each item begins with `- `.';
  }
  return `Write ${expectedNames[expected] ?? 'a whole number or a string'}.`;
}

function schemaAt(schema: z.ZodType, path: readonly PropertyKey[]): z.ZodType | undefined {
  return path.reduce<z.ZodType | undefined>((at, segment) => at && childSchema(at, segment), schema);
}

function unknownField(path: string, key: string, schema: z.ZodType | undefined): Violation {
  const fields = Object.keys((schema && fieldsOf(schema)) ?? {});
  const near = didYouMean(key, fields);
  const known = fields.length === 0 ? 'There are no fields here.' : `Known fields: ${fields.sort().join(', ')}.`;
  return {
    path: joinPath(path, key),
    code: 'UnknownField',
    message: `unknown field ${showValue(key)}${near === undefined ? '' : `, did you mean ${showValue(near)}?`}`,
    fix: near === undefined ? `Remove it. ${known}` : `Write ${near}.`,
  };
}

function toViolations(issue: Issue, schema: z.ZodType, prefix: readonly PathSegment[]): Violation[] {
  const segments = issue.path.map((segment) => (typeof segment === 'symbol' ? String(segment) : segment));
  const path = formatPath([...prefix, ...segments]);
  if (issue.code === 'unrecognized_keys') {
    const at = schemaAt(schema, issue.path);
    return issue.keys.slice(0, violationsMax + 1).map((key) => unknownField(path, key, at));
  }
  return [{ path, message: issue.message, ...judge(issue) }];
}

/** Issues after which the value still has the shape that its type promises. */
const softCodes = new Set(['unrecognized_keys', 'too_small', 'too_big', 'invalid_format', 'custom']);

/** A list that is too long is refused unread: its items may be anything. */
function isSoft(issue: Issue): boolean {
  return softCodes.has(issue.code) && !(issue.code === 'too_big' && issue.origin === 'array');
}

export interface StructureResult {
  readonly violations: readonly Violation[];
  /** Whether the value has the type of the schema, apart from unknown fields, limits and formats. */
  readonly typed: boolean;
}

/** Compares a value with a schema and reports every difference, or a few more than `violationsMax`; `prefix` is where the value is in its object. */
export function checkStructure(
  schema: z.ZodType,
  value: unknown,
  prefix: readonly PathSegment[] = [],
): StructureResult {
  // Compiled validators cost more memory than they save time at the rate at which objects change.
  const result = schema.safeParse(value, { error: message, reportInput: true, jitless: true });
  if (result.success) {
    return { violations: [], typed: true };
  }
  const { issues } = result.error;
  return {
    violations: issues.slice(0, violationsMax + 1).flatMap((issue) => toViolations(issue, schema, prefix)),
    typed: issues.every(isSoft),
  };
}
