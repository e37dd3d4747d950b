import type { CorsPolicy, HeaderChanges, HeaderEdits, HeaderValue, Millionths, StringMatch } from '@weft/ir';
import type { KubeGrpcRouteFilter, KubeHttpRouteFilter } from '@weft/resources';
import { headerFormat } from '../header-format.ts';
import { escapeRegex } from './path.ts';

type RouteFilter = KubeHttpRouteFilter | KubeGrpcRouteFilter;
type HeaderModifier = NonNullable<KubeHttpRouteFilter['requestHeaderModifier']>;
type MirrorFilter = NonNullable<KubeHttpRouteFilter['requestMirror']>;
type CorsFilter = NonNullable<KubeHttpRouteFilter['cors']>;

/** Filters that are acted upon; a rule with another one answers 500, as it may not be left out silently. */
export const supportedFilters: ReadonlySet<string> = new Set([
  'RequestHeaderModifier',
  'ResponseHeaderModifier',
  'RequestMirror',
  'RequestRedirect',
  'URLRewrite',
  'CORS',
]);

const headerModifiers: ReadonlySet<string> = new Set(['RequestHeaderModifier', 'ResponseHeaderModifier']);

/** As both kinds of routes write it; a rule without backends may redirect. */
interface RuleWithBackends {
  readonly filters?: readonly RouteFilter[] | undefined;
  readonly backendRefs?:
    | readonly { readonly weight?: number | undefined; readonly filters?: readonly RouteFilter[] | undefined }[]
    | undefined;
}

/** The one backend that gets all requests of a rule; undefined: there are several, or none. */
export function onlyBackend({ backendRefs = [] }: RuleWithBackends) {
  const [first, ...others] = backendRefs.filter(({ weight }) => weight !== 0);
  return others.length === 0 ? first : undefined;
}

/**
 * Whether a filter of a single backend is acted upon. Where one backend gets all requests, its filters are those of the rule. Where they
 * are shared among several, there is only what Envoy has for one destination of several: headers and a new host.
 */
export function isSupportedForBackend(rule: RuleWithBackends, filter: RouteFilter): boolean {
  const { type, urlRewrite } = filter as KubeHttpRouteFilter;
  return onlyBackend(rule) === undefined
    ? headerModifiers.has(type) || (type === 'URLRewrite' && urlRewrite?.path === undefined)
    : supportedFilters.has(type);
}

/** The filters of a rule, and before them those of the backend that gets all of its requests, except its edits of headers: those stay with it. */
export function filtersOf(rule: RuleWithBackends): readonly KubeHttpRouteFilter[] {
  const own = (onlyBackend(rule)?.filters ?? []).filter(({ type }) => !headerModifiers.has(type));
  return [...own, ...(rule.filters ?? [])] as readonly KubeHttpRouteFilter[];
}

export function headerEditsOf(filters: readonly RouteFilter[]): HeaderEdits {
  return {
    request: changes(filters.flatMap(({ requestHeaderModifier }) => requestHeaderModifier ?? [])),
    response: changes(filters.flatMap(({ responseHeaderModifier }) => responseHeaderModifier ?? [])),
  };
}

function changes(modifiers: readonly HeaderModifier[]): HeaderChanges {
  const values = (part: 'set' | 'add'): readonly HeaderValue[] =>
    modifiers.flatMap((modifier) => (modifier[part] ?? []).map(({ name, value }) => ({ name, value: literal(value) })));
  return { set: values('set'), add: values('add'), remove: modifiers.flatMap(({ remove }) => remove ?? []) };
}

/** Nothing in a value of Gateway API is a command: a percent sign is one. */
function literal(value: string): string {
  return headerFormat(value.replaceAll('%', '%%'));
}

/** Share of the requests that are copied. */
export function mirrorShare({ percent, fraction }: MirrorFilter): Millionths {
  if (fraction !== undefined) {
    return Math.min(1_000_000, Math.round((fraction.numerator / (fraction.denominator ?? 100)) * 1_000_000));
  }
  return percent === undefined ? 1_000_000 : percent * 10_000;
}

export function corsPolicyOf(filter: CorsFilter): CorsPolicy {
  return {
    origins: (filter.allowOrigins ?? []).map(originMatch),
    methods: filter.allowMethods ?? [],
    headers: filter.allowHeaders ?? [],
    exposed: filter.exposeHeaders ?? [],
    maxAgeSec: filter.maxAge ?? 5,
    credentials: filter.allowCredentials ?? false,
    forwardUnmatchedPreflights: false,
  };
}

/** `*` is any number of characters that a host name may have, or, alone, every origin. */
function originMatch(origin: string): StringMatch {
  if (origin === '*' || !origin.includes('*')) {
    return { kind: 'exact', value: origin };
  }
  const [before = '', after = ''] = origin.split('*');
  // What has no port in the pattern has the scheme's own.
  return { kind: 'regex', value: `${escapeRegex(before)}[-a-zA-Z0-9.]+${escapeRegex(after)}` };
}
