import { checkDuration } from '../../format/duration.ts';
import { grpcStatusNames, retryConditions } from '../../format/http.ts';
import { checkRegex } from '../../format/regex.ts';
import type { Place } from '../../place.ts';
import { checkOneOf, checkPercent, checkPortNumber } from './istio-checks.ts';
import type { HttpRoute } from './virtual-service.ts';

/** Largest body of a direct response, in bytes. */
const directResponseBodyMaxBytes = 1024 * 1024;

type Part<K extends keyof HttpRoute> = NonNullable<HttpRoute[K]>;

function checkFault(place: Place, { delay, abort }: Part<'fault'>): void {
  if (delay === undefined && abort === undefined) {
    place.required('fault has neither delay nor abort', 'Add one of them.');
  }
  if (delay !== undefined) {
    checkDelay(place.at('delay'), delay);
  }
  if (abort !== undefined) {
    checkAbort(place.at('abort'), abort);
  }
}

export function checkDelay(place: Place, delay: NonNullable<Part<'fault'>['delay']>): void {
  checkOneOf(place, delay, ['fixedDelay', 'exponentialDelay']);
  checkDuration(place.at('fixedDelay'), delay.fixedDelay);
  checkDuration(place.at('exponentialDelay'), delay.exponentialDelay);
  if (delay.fixedDelay === undefined && delay.exponentialDelay === undefined) {
    place.at('fixedDelay').required('the delay is missing', 'Add a duration such as 2s.');
  }
  checkPercent(place.at('percent'), delay.percent);
  checkPercent(place.at('percentage', 'value'), delay.percentage?.value);
}

export function checkAbort(place: Place, abort: NonNullable<Part<'fault'>['abort']>): void {
  checkOneOf(place, abort, ['httpStatus', 'grpcStatus', 'http2Error']);
  const { httpStatus, grpcStatus, http2Error } = abort;
  if (httpStatus === undefined && grpcStatus === undefined && http2Error === undefined) {
    place.at('httpStatus').required('the status is missing', 'Add httpStatus or grpcStatus.');
  }
  if (httpStatus !== undefined && (httpStatus < 200 || httpStatus > 599)) {
    place.at('httpStatus').invalid(httpStatus, 'not a status of a final response', 'Use a number from 200 to 599.');
  }
  if (grpcStatus !== undefined && !grpcStatusNames.includes(grpcStatus)) {
    place.at('grpcStatus').unsupported(grpcStatus, grpcStatusNames);
  }
  checkPercent(place.at('percentage', 'value'), abort.percentage?.value);
}

function checkRedirect(place: Place, redirect: Part<'redirect'>): void {
  checkOneOf(place, redirect, ['port', 'derivePort']);
  checkOneOf(place, redirect, ['uri', 'prefixRewrite']);
  checkPortNumber(place.at('port'), redirect.port);
  const { scheme, redirectCode } = redirect;
  if (Object.values(redirect).every((value) => value === undefined || value === '')) {
    place.required('nothing of the location is changed', 'Set uri, authority, port, scheme or redirectCode.');
  }
  if (scheme !== undefined && scheme !== '' && scheme !== 'http' && scheme !== 'https') {
    place.at('scheme').unsupported(scheme, ['http', 'https']);
  }
  if (redirectCode !== undefined && ![0, 301, 302, 303, 307, 308].includes(redirectCode)) {
    place.at('redirectCode').invalid(redirectCode, 'not a status of a redirection', 'Use 301, 302, 303, 307 or 308.');
  }
}

function checkDirectResponse(place: Place, { status, body }: Part<'directResponse'>): void {
  if (status < 200 || status > 599) {
    place.at('status').invalid(status, 'not a status of a final response', 'Use a number from 200 to 599.');
  }
  if (body === undefined) {
    return;
  }
  checkOneOf(place.at('body'), body, ['string', 'bytes']);
  const size =
    body.string === undefined ? Buffer.byteLength(body.bytes ?? '', 'base64') : Buffer.byteLength(body.string);
  if (size > directResponseBodyMaxBytes) {
    place
      .at('body')
      .tooLong(
        `the body has ${size} bytes, at most ${directResponseBodyMaxBytes} are allowed`,
        'Serve it from a workload.',
      );
  }
}

function checkRewrite(place: Place, { uri, authority, uriRegexRewrite }: Part<'rewrite'>): void {
  if ((uri ?? '') === '' && (authority ?? '') === '' && uriRegexRewrite === undefined) {
    place.required('nothing is rewritten', 'Set uri, authority or uriRegexRewrite.');
  }
  if (uriRegexRewrite === undefined) {
    return;
  }
  if ((uri ?? '') !== '') {
    place.at('uriRegexRewrite').conflict('uri is set as well', 'Remove one of the two.');
  }
  const { match, rewrite } = uriRegexRewrite;
  if (match === undefined || match === '') {
    place.at('uriRegexRewrite', 'match').required('the regular expression is missing', 'Add it.');
  } else {
    checkRegex(place.at('uriRegexRewrite', 'match'), match);
  }
  if (rewrite === undefined || rewrite === '') {
    place.at('uriRegexRewrite', 'rewrite').required('the replacement is missing', 'Add it.');
  }
}

export function checkRetries(place: Place, retries: Part<'retries'>): void {
  const { attempts = 0, perTryTimeout, retryOn = '', backoff } = retries;
  if (attempts < 0) {
    place.at('attempts').invalid(attempts, 'must not be negative', 'Use 0 to switch retries off.');
  }
  if (
    attempts === 0 &&
    (perTryTimeout !== undefined || retryOn !== '' || retries.retryRemoteLocalities !== undefined)
  ) {
    place
      .at('attempts')
      .required('retries are switched off by attempts 0, but described', 'Set attempts, or remove the other fields.');
  }
  checkDuration(place.at('perTryTimeout'), perTryTimeout);
  checkDuration(place.at('backoff'), backoff);
  for (const condition of retryOn === '' ? [] : retryOn.split(',')) {
    const name = condition.trim();
    if (!retryConditions.has(name) && !/^[1-5]\d\d$/.test(name)) {
      place
        .at('retryOn')
        .invalid(name, 'not a condition of retries', `Use status codes and any of ${[...retryConditions].join(', ')}.`);
    }
  }
}

/** What happens to a request besides its destination: fault, redirect, direct response, rewrite, retries. */
export function checkHttpAction(place: Place, route: HttpRoute): void {
  if (route.fault !== undefined) {
    checkFault(place.at('fault'), route.fault);
  }
  if (route.redirect !== undefined) {
    checkRedirect(place.at('redirect'), route.redirect);
  }
  if (route.directResponse !== undefined) {
    checkDirectResponse(place.at('directResponse'), route.directResponse);
  }
  if (route.rewrite !== undefined) {
    checkRewrite(place.at('rewrite'), route.rewrite);
  }
  if (route.retries !== undefined) {
    checkRetries(place.at('retries'), route.retries);
  }
}
