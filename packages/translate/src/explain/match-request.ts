import type { HeaderMatch, HttpMatch, HttpRoute, PathMatch, QueryMatch, StringMatch } from '@weft/ir';
import { matchesWhole } from '@weft/resources';
import { headerMatches, textMatches } from '../header-match.ts';

/** A request as somebody asks about it. */
export interface ExplainedRequest {
  readonly method: string;
  /** `http` or `https`. */
  readonly scheme: string;
  /** Host, with the port if it was written. */
  readonly authority: string;
  /** Where it is sent, in the same form: the server name of TLS. */
  readonly target: string;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Names in lower case; several values joined by commas. */
  readonly headers: ReadonlyMap<string, string>;
}

/** What a route makes of a request. */
export interface RouteVerdict {
  readonly route: HttpRoute;
  /** The condition that is not met; undefined: all are. */
  readonly failed: string | undefined;
}

/** The routes up to and including the first that takes the request, each with why it did not. */
export function tryRoutes(routes: readonly HttpRoute[], request: ExplainedRequest): readonly RouteVerdict[] {
  const verdicts: RouteVerdict[] = [];
  for (const route of routes) {
    const failed = failedCondition(route.match, request);
    verdicts.push({ route, failed });
    if (failed === undefined) {
      break;
    }
  }
  return verdicts;
}

/** The first condition that the request does not meet, in words; undefined when it meets all. */
function failedCondition(match: HttpMatch, request: ExplainedRequest): string | undefined {
  if (!pathMatches(match.path, request.path)) {
    return `the path is not ${describePath(match.path)}`;
  }
  for (const header of match.headers) {
    const value = headerValue(header.name, request);
    if (!headerMatches(header, value)) {
      const seen = value === undefined ? 'it is absent' : `it is ${JSON.stringify(value)}`;
      return `header ${describeHeader(header)}: ${seen}`;
    }
  }
  for (const query of match.query) {
    const value = request.query.get(query.name) ?? undefined;
    if (!queryMatches(query, value)) {
      const seen = value === undefined ? 'it is absent' : `it is ${JSON.stringify(value)}`;
      return `query parameter ${query.name} ${describeValue(query.match)}: ${seen}`;
    }
  }
  return undefined;
}

/** All conditions in words; empty when there are none. */
export function describeMatch({ path, headers, query }: HttpMatch): readonly string[] {
  const everyPath = path.kind === 'prefix' && path.value === '/';
  return [
    ...(everyPath ? [] : [`path is ${describePath(path)}`]),
    ...headers.map((header) => `header ${describeHeader(header)}`),
    ...query.map(({ name, match }) => `query parameter ${name} ${describeValue(match)}`),
  ];
}

function pathMatches(match: PathMatch, path: string): boolean {
  if (match.kind === 'regex') {
    return matchesWhole(match.value, path);
  }
  const [seen, wanted] = match.ignoreCase ? [path.toLowerCase(), match.value.toLowerCase()] : [path, match.value];
  switch (match.kind) {
    case 'exact':
      return seen === wanted;
    case 'prefix':
      return seen.startsWith(wanted);
    case 'segments':
      return seen === wanted || seen.startsWith(`${wanted}/`);
  }
}

function headerValue(name: string, request: ExplainedRequest): string | undefined {
  switch (name) {
    case ':method':
      return request.method;
    case ':scheme':
      return request.scheme;
    case ':authority':
      return request.authority;
    default:
      return request.headers.get(name);
  }
}

function queryMatches({ match }: QueryMatch, value: string | undefined): boolean {
  return value !== undefined && (match.kind === 'present' || textMatches(match, value));
}

function describePath(path: PathMatch): string {
  const suffix = path.kind !== 'regex' && path.ignoreCase ? ' in any case' : '';
  switch (path.kind) {
    case 'exact':
      return `${path.value}${suffix}`;
    case 'prefix':
      return `${path.value}…${suffix}`;
    case 'segments':
      return `${path.value} or below${suffix}`;
    case 'regex':
      return `like ${path.value}`;
  }
}

function describeHeader({ name, match, invert }: HeaderMatch): string {
  const condition = describeValue(match);
  return invert ? `${name} must not be: ${condition}` : `${name} ${condition}`;
}

function describeValue(match: StringMatch | { readonly kind: 'present' }): string {
  switch (match.kind) {
    case 'present':
      return 'is there';
    case 'exact':
      return `is ${JSON.stringify(match.value)}`;
    case 'prefix':
      return `begins with ${JSON.stringify(match.value)}`;
    case 'regex':
      return `is like ${match.value}`;
  }
}
