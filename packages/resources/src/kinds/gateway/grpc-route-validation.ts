import { checkRegex } from '../../format/regex.ts';
import { Place } from '../../place.ts';
import type { Violation } from '../../violation.ts';
import type { KubeGrpcRoute, KubeGrpcRouteFilter, KubeGrpcRouteMatch, KubeGrpcRouteRule } from './grpc-route.ts';
import {
  checkBackendRef,
  checkFilterFields,
  checkHeaderModifier,
  checkMatchCount,
  checkMatchRegex,
  checkMirror,
  checkParentRefs,
  checkRepeated,
  checkRuleNames,
  checkSessionPersistence,
} from './route-checks.ts';

const fieldOfType = {
  RequestHeaderModifier: 'requestHeaderModifier',
  ResponseHeaderModifier: 'responseHeaderModifier',
  RequestMirror: 'requestMirror',
  ExtensionRef: 'extensionRef',
} as const;

const singles = ['RequestHeaderModifier', 'ResponseHeaderModifier'];
const servicePattern = /^\.?[a-z_][a-z_0-9]*(\.[a-z_][a-z_0-9]*)*$/i;
const methodPattern = /^[a-z_][a-z_0-9]*$/i;

function checkMethod(
  place: Place,
  { type = 'Exact', service, method }: NonNullable<KubeGrpcRouteMatch['method']>,
): void {
  if (service === undefined && method === undefined) {
    place.required('neither a service nor a method is named', 'Add service, method or both.');
  }
  if (type === 'RegularExpression') {
    for (const [field, value] of Object.entries({ service, method })) {
      if (value !== undefined) {
        checkRegex(place.at(field), value);
      }
    }
    return;
  }
  if (service !== undefined && !servicePattern.test(service)) {
    place.at('service').invalid(service, 'not the name of a gRPC service', 'Write it as shop.v1.Cart.');
  }
  if (method !== undefined && !methodPattern.test(method)) {
    place.at('method').invalid(method, 'not the name of a gRPC method', 'Write it as GetItem, without the service.');
  }
}

function checkFilters(place: Place, filters: readonly KubeGrpcRouteFilter[] | undefined): void {
  for (const [index, filter] of (filters ?? []).entries()) {
    const here = place.at(index);
    checkFilterFields(here, filter, fieldOfType);
    if (filter.requestHeaderModifier !== undefined) {
      checkHeaderModifier(here.at('requestHeaderModifier'), filter.requestHeaderModifier, true);
    }
    if (filter.responseHeaderModifier !== undefined) {
      checkHeaderModifier(here.at('responseHeaderModifier'), filter.responseHeaderModifier, false);
    }
    if (filter.requestMirror !== undefined) {
      checkMirror(here.at('requestMirror'), filter.requestMirror);
    }
  }
  checkRepeated(place, filters ?? [], singles);
}

function checkRule(place: Place, rule: KubeGrpcRouteRule): void {
  for (const [index, match] of (rule.matches ?? []).entries()) {
    const here = place.at('matches', index);
    if (match.method !== undefined) {
      checkMethod(here.at('method'), match.method);
    }
    for (const [at, header] of (match.headers ?? []).entries()) {
      checkMatchRegex(here.at('headers', at), header);
    }
  }
  checkFilters(place.at('filters'), rule.filters);
  for (const [index, backend] of (rule.backendRefs ?? []).entries()) {
    const here = place.at('backendRefs', index);
    checkBackendRef(here, backend);
    checkFilters(here.at('filters'), backend.filters);
  }
  checkSessionPersistence(place.at('sessionPersistence'), rule.sessionPersistence);
}

export function validateGrpcRoute({ spec }: KubeGrpcRoute): Violation[] {
  const root = Place.root();
  const place = root.at('spec');
  checkParentRefs(place.at('parentRefs'), spec.parentRefs);
  checkMatchCount(place.at('rules'), spec.rules);
  checkRuleNames(place.at('rules'), spec.rules);
  for (const [index, rule] of (spec.rules ?? []).entries()) {
    checkRule(place.at('rules', index), rule);
  }
  return root.violations;
}
