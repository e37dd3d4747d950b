import { parseDurationMs } from '../../format/duration.ts';
import { checkEditedFieldName, checkFieldValue } from '../../format/http.ts';
import { checkRegex } from '../../format/regex.ts';
import type { Place } from '../../place.ts';

/** Rules that the routes of the Gateway API have in common. */

interface ParentRef {
  readonly group?: string | undefined;
  readonly kind?: string | undefined;
  readonly name: string;
  readonly namespace?: string | undefined;
  readonly sectionName?: string | undefined;
  readonly port?: number | undefined;
}

function parentOf({ group, kind, name, namespace = '' }: ParentRef): string {
  return JSON.stringify([group, kind, name, namespace]);
}

/** What of a parent is meant. */
function partOf({ sectionName = '', port = 0 }: ParentRef): string {
  return JSON.stringify([sectionName, port]);
}

/** Several references to one parent must each name another part of it, by the same fields. */
export function checkParentRefs(place: Place, refs: readonly ParentRef[] | undefined): void {
  const firsts = new Map<string, ParentRef>();
  const seen = new Set<string>();
  for (const [index, ref] of (refs ?? []).entries()) {
    const here = place.at(index);
    const parent = parentOf(ref);
    const first = firsts.get(parent);
    const whole = `${parent}${partOf(ref)}`;
    if (seen.has(whole)) {
      here.duplicate(ref.name, 'Refer to each part of a parent once: give each reference another sectionName or port.');
    } else if (
      first !== undefined &&
      (((first.sectionName ?? '') === '') !== ((ref.sectionName ?? '') === '') ||
        ((first.port ?? 0) === 0) !== ((ref.port ?? 0) === 0))
    ) {
      here.conflict(
        `${ref.name} is referred to more than once, and not by the same fields`,
        'Set sectionName in all references to the parent, or port in all of them.',
      );
    }
    firsts.set(parent, first ?? ref);
    seen.add(whole);
  }
}

export function checkRuleNames(
  place: Place,
  rules: readonly { readonly name?: string | undefined }[] | undefined,
): void {
  const names = new Set<string>();
  for (const [index, { name }] of (rules ?? []).entries()) {
    if (name === undefined) {
      continue;
    }
    if (names.has(name)) {
      place.at(index, 'name').duplicate(name, 'Give each rule a name of its own.');
    }
    names.add(name);
  }
}

/** Most matches of all rules of a route together. */
const matchesMax = 128;

export function checkMatchCount(
  place: Place,
  rules: readonly { readonly matches?: readonly unknown[] | undefined }[] | undefined,
): void {
  const count = (rules ?? []).reduce((sum, { matches }) => sum + (matches?.length ?? 0), 0);
  if (count > matchesMax) {
    place.tooLong(
      `the rules have ${count} matches together, at most ${matchesMax} are allowed`,
      'Divide them among several routes.',
    );
  }
}

interface BackendRef {
  readonly group?: string | undefined;
  readonly kind?: string | undefined;
  readonly port?: number | undefined;
}

/** A Service has ports, and nothing else says which is meant. */
export function checkBackendRef(place: Place, { group = '', kind = 'Service', port }: BackendRef): void {
  if (group === '' && kind === 'Service' && port === undefined) {
    place.at('port').required('a Service is referred to with its port', 'Add the port of the Service.');
  }
}

interface Mirror {
  readonly backendRef: BackendRef;
  readonly percent?: number | undefined;
  readonly fraction?: { readonly numerator: number; readonly denominator?: number | undefined } | undefined;
}

export function checkMirror(place: Place, { backendRef, percent, fraction }: Mirror): void {
  checkBackendRef(place.at('backendRef'), backendRef);
  if (percent !== undefined && fraction !== undefined) {
    place.at('fraction').conflict('only one of percent, fraction may be set', 'Remove one of the two.');
  }
  if (fraction !== undefined && fraction.numerator > (fraction.denominator ?? 100)) {
    place
      .at('fraction', 'numerator')
      .invalid(
        fraction.numerator,
        `greater than the denominator ${fraction.denominator ?? 100}`,
        'Use a share of at most the whole.',
      );
  }
}

interface HeaderModifier {
  readonly set?: readonly { readonly name: string; readonly value: string }[] | undefined;
  readonly add?: readonly { readonly name: string; readonly value: string }[] | undefined;
  readonly remove?: readonly string[] | undefined;
}

/** @param authority whether the host may be set here. */
export function checkHeaderModifier(place: Place, modifier: HeaderModifier, authority: boolean): void {
  for (const edit of ['set', 'add'] as const) {
    for (const [index, { name, value }] of (modifier[edit] ?? []).entries()) {
      const here = place.at(edit, index);
      checkEditedFieldName(here.at('name'), name, authority && edit === 'set');
      checkFieldValue(here.at('value'), value);
    }
  }
  for (const [index, name] of (modifier.remove ?? []).entries()) {
    checkEditedFieldName(place.at('remove', index), name, false);
  }
}

interface SessionPersistence {
  readonly type?: string | undefined;
  readonly absoluteTimeout?: string | undefined;
  readonly cookieConfig?: { readonly lifetimeType?: string | undefined } | undefined;
}

export function checkSessionPersistence(place: Place, session: SessionPersistence | undefined): void {
  if (session === undefined) {
    return;
  }
  const { type = 'Cookie', absoluteTimeout, cookieConfig } = session;
  if (cookieConfig?.lifetimeType === 'Permanent' && absoluteTimeout === undefined) {
    place
      .at('absoluteTimeout')
      .required('a permanent cookie ends with the session, which has no end', 'Add absoluteTimeout.');
  }
  if (cookieConfig !== undefined && type !== 'Cookie') {
    place.at('cookieConfig').forbidden(`the session is carried by type ${type}`, 'Remove it, or set type to Cookie.');
  }
}

interface Match {
  readonly type?: string | undefined;
  readonly value?: string | undefined;
}

/** The value of a match, where it is a regular expression. */
export function checkMatchRegex(place: Place, { type, value }: Match): void {
  if (type === 'RegularExpression' && value !== undefined) {
    checkRegex(place.at('value'), value);
  }
}

/** A filter has the field that its type names, and no other. */
export function checkFilterFields(
  place: Place,
  filter: { readonly type: string },
  fields: Readonly<Record<string, string>>,
): void {
  for (const [type, field] of Object.entries(fields)) {
    const present = (filter as Readonly<Record<string, unknown>>)[field] !== undefined;
    if (present && filter.type !== type) {
      place.at(field).forbidden(`the filter is of type ${filter.type}`, `Remove it, or set type to ${type}.`);
    }
    if (!present && filter.type === type) {
      place.at(field).required(`a filter of type ${type} needs it`, 'Add it.');
    }
  }
}

/** Filters of which a rule may have one only. */
export function checkRepeated(
  place: Place,
  filters: readonly { readonly type: string }[],
  singles: readonly string[],
): void {
  for (const type of singles) {
    const indexes = filters.flatMap((filter, index) => (filter.type === type ? [index] : []));
    for (const index of indexes.slice(1)) {
      place.at(index, 'type').duplicate(type, 'Join the two filters into one.');
    }
  }
}

/** Milliseconds; 0 where there is none. */
function millis(text: string | undefined): number {
  return text === undefined ? 0 : (parseDurationMs(text) ?? 0);
}

interface Timeouts {
  readonly request?: string | undefined;
  readonly backendRequest?: string | undefined;
}

export function checkTimeouts(place: Place, { request, backendRequest }: Timeouts): void {
  if (millis(request) > 0 && millis(backendRequest) > millis(request)) {
    place
      .at('backendRequest')
      .invalid(
        backendRequest,
        `longer than the timeout of the whole request, ${request}`,
        'Make it shorter, or the other longer.',
      );
  }
}
