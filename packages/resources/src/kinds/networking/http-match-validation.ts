import { checkFieldName } from '../../format/http.ts';
import { checkLabels } from '../../format/labels.ts';
import { checkName } from '../../format/names.ts';
import { checkRegex } from '../../format/regex.ts';
import type { Place } from '../../place.ts';
import { checkGatewayNames, checkOneOf, checkPortNumber } from './istio-checks.ts';
import type { HttpMatch, StringMatch } from './virtual-service.ts';

function checkStringMatch(place: Place, match: StringMatch | undefined, delegating: boolean): void {
  if (match === undefined) {
    return;
  }
  checkOneOf(place, match, ['exact', 'prefix', 'regex']);
  if (match.regex === undefined) {
    return;
  }
  checkRegex(place.at('regex'), match.regex);
  if (delegating) {
    // Matches of a delegating and a delegated rule are joined into one, and two regular expressions cannot be.
    place
      .at('regex')
      .forbidden('a regular expression cannot be joined with the matches of delegated routes', 'Use exact or prefix.');
  }
}

/** A header field's name, or a claim of a JSON web token (`@request.auth.claims.group`). */
function checkHeaderKey(place: Place, name: string): void {
  if (!name.startsWith('@request.auth.claims')) {
    checkFieldName(place, name);
  }
}

export function checkHttpMatch(place: Place, match: HttpMatch, delegating: boolean): void {
  for (const field of ['uri', 'scheme', 'method', 'authority'] as const) {
    checkStringMatch(place.at(field), match[field], delegating);
  }
  for (const field of ['headers', 'withoutHeaders'] as const) {
    for (const [name, value] of Object.entries(match[field] ?? {})) {
      checkHeaderKey(place.at(field, name), name);
      checkStringMatch(place.at(field, name), value, delegating);
    }
  }
  for (const [name, value] of Object.entries(match.queryParams ?? {})) {
    if (name === '') {
      place.at('queryParams').invalid(name, 'a query parameter has a name', 'Name the parameter.');
    }
    checkStringMatch(place.at('queryParams', name), value, delegating);
  }
  checkPortNumber(place.at('port'), match.port);
  checkLabels(place.at('sourceLabels'), match.sourceLabels);
  checkGatewayNames(place.at('gateways'), match.gateways);
  if (match.sourceNamespace !== undefined && match.sourceNamespace !== '') {
    checkName(place.at('sourceNamespace'), match.sourceNamespace, 'label');
  }
}
