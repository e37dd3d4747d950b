import { headerFormatProblem } from '../../access-log/format.ts';
import type { HeaderAddition, HeaderEdits } from '../config.ts';
import type { HeaderValueOption } from '../wire/core-schema.ts';
import type { Problems } from '../wire/problems.ts';
import type { Decoded } from '../wire/schema.ts';

/** RFC 9110 §5.6.2 */
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Fields by which two hops agree where a message ends: to change them would desynchronise a connection (RFC 9112 §6, §11.2). */
const framing = /^(?:content-length|transfer-encoding|connection|upgrade)$/i;
/** Longest name and value of a header in configuration, Envoy's limit for both. */
const MAX_HEADER_BYTES = 16_384;

/** The four fields by which route configuration, virtual host, route and weighted cluster edit headers. */
export interface HeaderEditFields {
  readonly request_headers_to_add: readonly Decoded<typeof HeaderValueOption>[];
  readonly request_headers_to_remove: readonly string[];
  readonly response_headers_to_add: readonly Decoded<typeof HeaderValueOption>[];
  readonly response_headers_to_remove: readonly string[];
}

/** One value for "nothing to edit", so that it can be recognised by identity. */
export const noHeaderEdits: HeaderEdits = { requestAdd: [], requestRemove: [], responseAdd: [], responseRemove: [] };

export function headerEditsFromXds(fields: HeaderEditFields, problems: Problems): HeaderEdits {
  if (
    fields.request_headers_to_add.length === 0 &&
    fields.request_headers_to_remove.length === 0 &&
    fields.response_headers_to_add.length === 0 &&
    fields.response_headers_to_remove.length === 0
  ) {
    return noHeaderEdits;
  }
  return {
    requestAdd: additions('request_headers_to_add', fields.request_headers_to_add, problems),
    requestRemove: removals('request_headers_to_remove', fields.request_headers_to_remove, problems),
    responseAdd: additions('response_headers_to_add', fields.response_headers_to_add, problems),
    responseRemove: removals('response_headers_to_remove', fields.response_headers_to_remove, problems),
  };
}

const actions = {
  APPEND_IF_EXISTS_OR_ADD: 'append',
  ADD_IF_ABSENT: 'add-if-absent',
  OVERWRITE_IF_EXISTS_OR_ADD: 'overwrite',
  OVERWRITE_IF_EXISTS: 'overwrite-if-exists',
} as const;

function additions(
  field: string,
  options: readonly Decoded<typeof HeaderValueOption>[],
  problems: Problems,
): HeaderAddition[] {
  return problems.each(field, options, (option) => headerAdditionFromXds(option, problems));
}

/** `envoy.config.core.v3.HeaderValueOption` */
export function headerAdditionFromXds(option: Decoded<typeof HeaderValueOption>, problems: Problems): HeaderAddition {
  const name = option.header?.key ?? '';
  const raw = option.header?.raw_value;
  const value =
    raw !== undefined && raw.length > 0 ? Buffer.from(raw).toString('latin1') : (option.header?.value ?? '');
  checkHeaderName(name, 'header.key', problems);
  if (value.length > MAX_HEADER_BYTES || /[\0\r\n]/.test(value)) {
    problems.add('holds a line break or is too long', 'header.value');
  }
  const wrong = headerFormatProblem(value);
  if (wrong !== undefined) {
    problems.add(wrong, 'header.value');
  }
  // `append` is the older spelling of two of the actions; it may stand beside the default action only.
  const action = option.append === undefined ? actions[option.append_action] : option.append ? 'append' : 'overwrite';
  if (option.append !== undefined && option.append_action !== 'APPEND_IF_EXISTS_OR_ADD') {
    problems.add('append and append_action exclude each other', 'append');
  }
  return { name, value, action, keepEmptyValue: option.keep_empty_value };
}

function removals(field: string, names: readonly string[], problems: Problems): string[] {
  return problems.each(field, names, (name) => {
    checkHeaderName(name, '', problems);
    return name.toLowerCase();
  });
}

/** Pseudo headers and Host are set by rewrites only, as in Envoy. */
export function checkHeaderName(name: string, at: string, problems: Problems): void {
  const where = at === '' ? undefined : at;
  if (name.startsWith(':') || name.toLowerCase() === 'host') {
    problems.add(`${name} cannot be edited as a header`, where);
  } else if (framing.test(name)) {
    problems.add(`${name} frames the message: editing it is not supported`, where);
  } else if (!token.test(name) || name.length > MAX_HEADER_BYTES) {
    problems.add(`${JSON.stringify(name)} is not a header name`, where);
  }
}
