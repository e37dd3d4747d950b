import type { Place } from '../../place.ts';
import type { KubeHttpRouteFilter } from './http-route.ts';
import { checkBackendRef, checkFilterFields, checkHeaderModifier, checkMirror, checkRepeated } from './route-checks.ts';

const fieldOfType = {
  RequestHeaderModifier: 'requestHeaderModifier',
  ResponseHeaderModifier: 'responseHeaderModifier',
  RequestMirror: 'requestMirror',
  RequestRedirect: 'requestRedirect',
  URLRewrite: 'urlRewrite',
  ExtensionRef: 'extensionRef',
  CORS: 'cors',
  ExternalAuth: 'externalAuth',
} as const;

const singles = ['CORS', 'RequestHeaderModifier', 'ResponseHeaderModifier', 'RequestRedirect', 'URLRewrite'];

type Part<K extends keyof KubeHttpRouteFilter> = NonNullable<KubeHttpRouteFilter[K]>;

function checkPathModifier(place: Place, path: Part<'urlRewrite'>['path']): void {
  if (path === undefined) {
    return;
  }
  const fields = { ReplaceFullPath: 'replaceFullPath', ReplacePrefixMatch: 'replacePrefixMatch' } as const;
  for (const [type, field] of Object.entries(fields)) {
    const present = path[field as keyof typeof path] !== undefined;
    if (path.type === type && !present) {
      place.at(field).required(`type ${type} needs it`, 'Add it.');
    }
    if (path.type !== type && present) {
      place.at(field).forbidden(`the type is ${path.type}`, `Remove it, or set type to ${type}.`);
    }
  }
}

function checkCors(place: Place, cors: Part<'cors'>): void {
  for (const field of ['allowOrigins', 'allowMethods', 'allowHeaders'] as const) {
    const values: readonly string[] = cors[field] ?? [];
    if (values.length > 1 && values.includes('*')) {
      place.at(field).conflict('`*` stands for every one, and others are named besides', 'Keep `*`, or remove it.');
    }
  }
}

function checkExternalAuth(place: Place, auth: Part<'externalAuth'>): void {
  checkBackendRef(place.at('backendRef'), auth.backendRef);
  for (const [protocol, field] of [
    ['HTTP', 'http'],
    ['GRPC', 'grpc'],
  ] as const) {
    const present = auth[field] !== undefined;
    if (auth.protocol === protocol && !present) {
      place.at(field).required(`protocol ${protocol} needs it`, 'Add it.');
    }
    if (auth.protocol !== protocol && present) {
      place.at(field).forbidden(`the protocol is ${auth.protocol}`, `Remove it, or set protocol to ${protocol}.`);
    }
  }
  const size = auth.forwardBody?.maxSize ?? 0;
  if (size < 0) {
    place.at('forwardBody', 'maxSize').invalid(size, 'must not be negative', 'Use a number of bytes.');
  }
}

function checkFilter(place: Place, filter: KubeHttpRouteFilter): void {
  checkFilterFields(place, filter, fieldOfType);
  if (filter.requestHeaderModifier !== undefined) {
    checkHeaderModifier(place.at('requestHeaderModifier'), filter.requestHeaderModifier, true);
  }
  if (filter.responseHeaderModifier !== undefined) {
    checkHeaderModifier(place.at('responseHeaderModifier'), filter.responseHeaderModifier, false);
  }
  if (filter.requestMirror !== undefined) {
    checkMirror(place.at('requestMirror'), filter.requestMirror);
  }
  checkPathModifier(place.at('requestRedirect', 'path'), filter.requestRedirect?.path);
  checkPathModifier(place.at('urlRewrite', 'path'), filter.urlRewrite?.path);
  if (filter.cors !== undefined) {
    checkCors(place.at('cors'), filter.cors);
  }
  if (filter.externalAuth !== undefined) {
    checkExternalAuth(place.at('externalAuth'), filter.externalAuth);
  }
}

export function checkHttpFilters(place: Place, filters: readonly KubeHttpRouteFilter[] | undefined): void {
  const steps = filters ?? [];
  for (const [index, filter] of steps.entries()) {
    checkFilter(place.at(index), filter);
  }
  checkRepeated(place, steps, singles);
  const redirect = steps.findIndex(({ type }) => type === 'RequestRedirect');
  if (redirect >= 0 && steps.some(({ type }) => type === 'URLRewrite')) {
    place
      .at(redirect, 'type')
      .conflict('a request that is redirected is not rewritten', 'Remove RequestRedirect or URLRewrite.');
  }
}
