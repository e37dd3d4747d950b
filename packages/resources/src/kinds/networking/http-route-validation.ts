import { checkDuration } from '../../format/duration.ts';
import { checkEditedFieldName, checkFieldName, checkFieldValue, httpMethods } from '../../format/http.ts';
import { checkName } from '../../format/names.ts';
import { checkRegex } from '../../format/regex.ts';
import type { Place } from '../../place.ts';
import { checkHttpAction } from './http-action-validation.ts';
import { checkHttpMatch } from './http-match-validation.ts';
import { checkOneOf, checkPercent } from './istio-checks.ts';
import { checkDestination, checkWeights } from './route-validation.ts';
import type { HttpRoute } from './virtual-service.ts';

type HeaderEdits = NonNullable<HttpRoute['headers']>;
type Cors = NonNullable<HttpRoute['corsPolicy']>;

function checkHeaderEdits(place: Place, edits: HeaderEdits | undefined): void {
  for (const side of ['request', 'response'] as const) {
    const here = place.at(side);
    const request = side === 'request';
    for (const verb of ['set', 'add'] as const) {
      for (const [name, value] of Object.entries(edits?.[side]?.[verb] ?? {})) {
        checkEditedFieldName(here.at(verb, name), name, request);
        checkFieldValue(here.at(verb, name), value);
      }
    }
    for (const [index, name] of (edits?.[side]?.remove ?? []).entries()) {
      checkEditedFieldName(here.at('remove', index), name, false);
    }
  }
}

/** The authority is rewritten in one place only. */
function checkAuthorityEdits(place: Place, route: HttpRoute): void {
  let first =
    route.rewrite?.authority === undefined || route.rewrite.authority === '' ? undefined : 'rewrite.authority';
  for (const verb of ['set', 'add'] as const) {
    for (const name of Object.keys(route.headers?.request?.[verb] ?? {})) {
      if (!/^(host|:authority)$/i.test(name)) {
        continue;
      }
      if (first !== undefined) {
        place
          .at('headers', 'request', verb, name)
          .conflict(`the authority is set by ${first} already`, 'Set the authority in one place only.');
      }
      first ??= `headers.request.${verb}`;
    }
  }
}

function checkCors(place: Place, cors: Cors): void {
  for (const [index, origin] of (cors.allowOrigins ?? []).entries()) {
    const here = place.at('allowOrigins', index);
    checkOneOf(here, origin, ['exact', 'prefix', 'regex']);
    if (origin.regex !== undefined) {
      checkRegex(here.at('regex'), origin.regex);
    }
  }
  for (const [index, method] of (cors.allowMethods ?? []).entries()) {
    if (method !== '*' && !(httpMethods as readonly string[]).includes(method)) {
      place.at('allowMethods', index).unsupported(method, [...httpMethods, '*']);
    }
  }
  for (const field of ['allowHeaders', 'exposeHeaders'] as const) {
    for (const [index, name] of (cors[field] ?? []).entries()) {
      checkFieldName(place.at(field, index), name);
    }
  }
  checkDuration(place.at('maxAge'), cors.maxAge);
  if (cors.maxAge !== undefined && /\d\.\d|\d(ms|us|µs|μs|ns)/.test(cors.maxAge)) {
    place.at('maxAge').invalid(cors.maxAge, 'the header field for it counts whole seconds', 'Use whole seconds.');
  }
}

function checkMirrors(place: Place, route: HttpRoute): void {
  if (route.mirror !== undefined) {
    checkDestination(place.at('mirror'), route.mirror);
    if ((route.mirrors ?? []).length > 0) {
      place.at('mirrors').conflict('mirror is set as well', 'Move the destination of mirror into mirrors.');
    }
  }
  for (const [index, mirror] of (route.mirrors ?? []).entries()) {
    const here = place.at('mirrors', index);
    checkDestination(here.at('destination'), mirror.destination);
    checkPercent(here.at('percentage', 'value'), mirror.percentage?.value);
  }
  checkPercent(place.at('mirrorPercent'), route.mirrorPercent);
  checkPercent(place.at('mirror_percent'), route.mirror_percent);
  checkPercent(place.at('mirrorPercentage', 'value'), route.mirrorPercentage?.value);
}

/** Which of the ways to answer are combined in a way that makes no sense. */
function checkCombination(place: Place, route: HttpRoute, delegated: boolean): void {
  const routed = (route.route ?? []).length > 0;
  if (route.delegate !== undefined) {
    if (delegated) {
      place
        .at('delegate')
        .forbidden('routes that are delegated to cannot delegate further', 'Add hosts, or remove it.');
      return;
    }
    for (const field of ['route', 'redirect', 'directResponse'] as const) {
      if (route[field] !== undefined) {
        place.at(field).conflict('delegate hands over to other routes', `Remove ${field} or delegate.`);
      }
    }
    return;
  }
  const answer = (['redirect', 'directResponse'] as const).filter((field) => route[field] !== undefined);
  const [first] = answer;
  if (first === undefined) {
    if (!routed) {
      place.at('route').required('route, redirect or directResponse is required', 'Add a destination.');
    }
    return;
  }
  if (answer.length > 1) {
    place.at('directResponse').conflict('redirect is set as well', 'Remove one of the two.');
  }
  const others = [...(routed ? (['route'] as const) : []), 'fault', 'rewrite'] as const;
  for (const field of others) {
    if (route[field] !== undefined) {
      place.at(field).conflict(`the rule answers by ${first} and forwards nothing`, `Remove ${field} or ${first}.`);
    }
  }
}

/** Everything about one item of spec.http; `delegated` when the object has no hosts. */
export function checkHttpRoute(place: Place, route: HttpRoute, delegated: boolean): void {
  checkCombination(place, route, delegated);
  const delegating = delegated || route.delegate !== undefined;
  for (const [index, match] of (route.match ?? []).entries()) {
    checkHttpMatch(place.at('match', index), match, delegating);
  }
  for (const [index, { destination, headers }] of (route.route ?? []).entries()) {
    checkDestination(place.at('route', index, 'destination'), destination);
    checkHeaderEdits(place.at('route', index, 'headers'), headers);
  }
  checkWeights(place.at('route'), route.route ?? []);
  checkHeaderEdits(place.at('headers'), route.headers);
  checkAuthorityEdits(place, route);
  checkHttpAction(place, route);
  checkMirrors(place, route);
  checkDuration(place.at('timeout'), route.timeout);
  if (route.corsPolicy !== undefined) {
    checkCors(place.at('corsPolicy'), route.corsPolicy);
  }
  if (route.delegate?.name !== undefined && route.delegate.name !== '') {
    checkName(place.at('delegate', 'name'), route.delegate.name, 'subdomain');
  } else if (route.delegate !== undefined) {
    place.at('delegate', 'name').required('the name is missing', 'Name the virtual service that takes over.');
  }
}
