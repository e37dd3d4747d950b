import { checkFieldValue } from '../../format/http.ts';
import { Place } from '../../place.ts';
import type { Violation } from '../../violation.ts';
import { checkHttpFilters } from './http-filter-validation.ts';
import type { KubeHttpRoute, KubeHttpRouteFilter, KubeHttpRouteMatch, KubeHttpRouteRule } from './http-route.ts';
import {
  checkBackendRef,
  checkMatchCount,
  checkMatchRegex,
  checkParentRefs,
  checkRuleNames,
  checkSessionPersistence,
  checkTimeouts,
} from './route-checks.ts';

/** RFC 3986 §3.3: `pchar` and the slash. */
const pathCharacters = /^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|%[0-9a-fA-F]{2})+$/;
/** What a normalised path does not have, and so would never match. */
const pathParts = ['//', '/./', '/../', '%2f', '%2F', '#'];
const pathEnds = ['/..', '/.'];

function checkPath(place: Place, { type = 'PathPrefix', value = '/' }: NonNullable<KubeHttpRouteMatch['path']>): void {
  const here = place.at('value');
  if (type === 'RegularExpression') {
    checkMatchRegex(place, { type, value });
    return;
  }
  if (!value.startsWith('/')) {
    here.invalid(value, 'not an absolute path', 'Begin it with a slash.');
    return;
  }
  const part = pathParts.find((each) => value.includes(each));
  const end = pathEnds.find((each) => value.endsWith(each));
  if (part !== undefined) {
    here.invalid(value, `must not contain '${part}'`, 'Write the path as it is after normalisation.');
  } else if (end !== undefined) {
    here.invalid(value, `must not end with '${end}'`, 'Write the path as it is after normalisation.');
  } else if (!pathCharacters.test(value)) {
    here.invalid(
      value,
      'has characters that no path has',
      "Write others than letters, digits and -._~!$&'()*+,;=:@/ as % and two hexadecimal digits.",
    );
  }
}

function checkMatch(place: Place, match: KubeHttpRouteMatch): void {
  if (match.path !== undefined) {
    checkPath(place.at('path'), match.path);
  }
  for (const [index, { type = 'Exact', value }] of (match.headers ?? []).entries()) {
    if (type === 'Exact') {
      checkFieldValue(place.at('headers', index, 'value'), value);
    }
  }
  for (const field of ['headers', 'queryParams'] as const) {
    for (const [index, each] of (match[field] ?? []).entries()) {
      checkMatchRegex(place.at(field, index), each);
    }
  }
}

/** Fields of filters that replace the prefix which a match found. */
function prefixPlaces(place: Place, filters: readonly KubeHttpRouteFilter[] | undefined): Place[] {
  return (filters ?? []).flatMap(({ requestRedirect, urlRewrite }, index) => [
    ...(replacesPrefix(requestRedirect) ? [place.at(index, 'requestRedirect', 'path', 'replacePrefixMatch')] : []),
    ...(replacesPrefix(urlRewrite) ? [place.at(index, 'urlRewrite', 'path', 'replacePrefixMatch')] : []),
  ]);
}

function replacesPrefix(change: KubeHttpRouteFilter['urlRewrite']): boolean {
  return change?.path?.type === 'ReplacePrefixMatch' && change.path.replacePrefixMatch !== undefined;
}

/** A prefix can only be replaced where the rule has found exactly one. */
function checkPrefixes(place: Place, rule: KubeHttpRouteRule): void {
  const matches = rule.matches ?? [];
  if (matches.length === 1 && matches[0]?.path?.type === 'PathPrefix') {
    return;
  }
  const backends = (rule.backendRefs ?? []).flatMap(({ filters }, index) =>
    prefixPlaces(place.at('backendRefs', index, 'filters'), filters),
  );
  for (const here of [...prefixPlaces(place.at('filters'), rule.filters), ...backends]) {
    here.conflict(
      'there is no single prefix to replace',
      'Give the rule exactly one match, with a path of type PathPrefix.',
    );
  }
}

function checkRule(place: Place, rule: KubeHttpRouteRule): void {
  for (const [index, match] of (rule.matches ?? []).entries()) {
    checkMatch(place.at('matches', index), match);
  }
  checkHttpFilters(place.at('filters'), rule.filters);
  for (const [index, backend] of (rule.backendRefs ?? []).entries()) {
    const here = place.at('backendRefs', index);
    checkBackendRef(here, backend);
    checkHttpFilters(here.at('filters'), backend.filters);
  }
  if ((rule.backendRefs ?? []).length > 0 && (rule.filters ?? []).some((filter) => filter.requestRedirect)) {
    place
      .at('backendRefs')
      .conflict(
        'the rule redirects, so that nothing is forwarded',
        'Remove backendRefs, or the RequestRedirect filter.',
      );
  }
  checkPrefixes(place, rule);
  checkTimeouts(place.at('timeouts'), rule.timeouts ?? {});
  if ((rule.retry?.attempts ?? 0) < 0) {
    place.at('retry', 'attempts').invalid(rule.retry?.attempts, 'must not be negative', 'Use 0 to switch retries off.');
  }
  checkSessionPersistence(place.at('sessionPersistence'), rule.sessionPersistence);
}

export function validateHttpRoute(route: KubeHttpRoute): Violation[] {
  const root = Place.root();
  const { spec } = route;
  const place = root.at('spec');
  checkParentRefs(place.at('parentRefs'), spec.parentRefs);
  checkMatchCount(place.at('rules'), spec.rules);
  checkRuleNames(place.at('rules'), spec.rules);
  for (const [index, rule] of (spec.rules ?? []).entries()) {
    checkRule(place.at('rules', index), rule);
  }
  return root.violations;
}
