import type { Violation, ViolationCode } from './violation.ts';

const reasons: Readonly<Record<ViolationCode, string>> = {
  FieldValueRequired: 'Required value',
  FieldValueInvalid: 'Invalid value',
  FieldValueNotSupported: 'Unsupported value',
  FieldValueDuplicate: 'Duplicate value',
  FieldValueForbidden: 'Forbidden',
  FieldValueTypeInvalid: 'Invalid value',
  FieldValueTooLong: 'Too long',
  FieldValueNotFound: 'Not found',
  UnknownField: 'Unknown field',
  UnknownKind: 'Unknown kind',
  DuplicateKey: 'Duplicate value',
  MalformedDocument: 'Malformed',
  Conflict: 'Conflict',
  TooLarge: 'Too long',
};

/** A violation on one line, in the words of Kubernetes: `spec.mtls.mode: Unsupported value: "X" is not one of …`. */
export function describeViolation({ path, code, message }: Violation): string {
  return `${path === '' ? '' : `${path}: `}${reasons[code]}: ${message}`;
}
