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

/** Of a single backend: what Envoy has for one destination. */
export const supportedBackendFilters: ReadonlySet<string> = new Set([
  'RequestHeaderModifier',
  'ResponseHeaderModifier',
]);

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
