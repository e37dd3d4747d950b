import type { Place } from '../place.ts';

/** `token` of RFC 9110 §5.6.2. */
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** `field-value` of RFC 9110 §5.5, on one line; other bytes than ASCII are allowed. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the control characters are what is looked for.
const forbiddenInValue = /[\0-\x08\x0a-\x1f\x7f]/;

function isFieldName(text: string): boolean {
  return token.test(text);
}

const nameFix = "Use letters, digits and any of !#$%&'*+-.^_`|~ only.";

export function checkFieldName(place: Place, name: string): void {
  if (!isFieldName(name)) {
    place.invalid(name, 'not a valid name of a header field', nameFix);
  }
}

/** Fields by which two hops agree where a message ends: to change them desynchronises the connection (RFC 9112 §6, §11.2). */
const framing = /^(content-length|transfer-encoding|connection|upgrade)$/i;

/** A name of a header field that routes may change: not one that frames the message. */
export function checkEditedFieldName(place: Place, name: string, authorityAllowed: boolean): void {
  const authority = /^(host|:authority)$/i.test(name);
  if (authority && authorityAllowed) {
    return;
  }
  if (authority || name.startsWith(':')) {
    place.invalid(
      name,
      'this header field cannot be changed here',
      'Use rewrite.authority for the host; other pseudo header fields stay as they are.',
    );
  } else if (framing.test(name)) {
    place.invalid(name, 'this header field frames the message and cannot be changed', 'Leave it to the proxy.');
  } else {
    checkFieldName(place, name);
  }
}

export function checkFieldValue(place: Place, value: string): void {
  if (forbiddenInValue.test(value)) {
    place.invalid(value, 'not a valid value of a header field', 'Write it on one line, without control characters.');
  }
}

/** Methods that browsers and proxies know (RFC 9110 §9.3, RFC 5789). */
export const httpMethods = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'] as const;

/** Names of gRPC's status codes; the index is the code. */
export const grpcStatusNames: readonly string[] = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
];

/** Conditions of `retryOn` (Envoy's `x-envoy-retry-on` and `x-envoy-retry-grpc-on`); status codes may stand there too. */
export const retryConditions: ReadonlySet<string> = new Set([
  '5xx',
  'gateway-error',
  'reset',
  'reset-before-request',
  'connect-failure',
  'envoy-ratelimited',
  'retriable-4xx',
  'refused-stream',
  'retriable-status-codes',
  'retriable-headers',
  'http3-post-connect-failure',
  'cancelled',
  'deadline-exceeded',
  'internal',
  'resource-exhausted',
  'unavailable',
]);
