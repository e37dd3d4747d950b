import { KnownHeader, type RequestHead } from '@weft/http-codec';
import type { HeaderMatch, QueryParameterMatch, RouteMatch } from '../runtime-config/config.ts';
import { matchesString } from './string-match.ts';

/** What routes are matched against. */
export interface RouteSubject {
  readonly head: RequestHead;
  readonly scheme: string;
  /** `head.path` without its query. */
  readonly pathOnly: string;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

export function matchesRoute(match: RouteMatch, subject: RouteSubject): boolean {
  return (
    matchesPath(match, subject.pathOnly) &&
    (match.headers.length === 0 || matchesHeaders(match.headers, subject)) &&
    (match.queryParameters.length === 0 || matchesQuery(match.queryParameters, subject.head.path)) &&
    (!match.grpcOnly || isGrpc(subject.head)) &&
    (match.runtimeFraction === undefined || subject.random() * 1_000_000 < match.runtimeFraction)
  );
}

function matchesPath(match: RouteMatch, path: string): boolean {
  const { path: wanted } = match;
  if (wanted.kind === 'regex') {
    return wanted.regex.test(path);
  }
  const value = match.caseSensitive ? wanted.value : wanted.value.toLowerCase();
  const subject = match.caseSensitive ? path : path.toLowerCase();
  switch (wanted.kind) {
    case 'exact':
      return subject === value;
    case 'prefix':
      return subject.startsWith(value);
    default:
      return (
        subject.startsWith(value) && (subject.length === value.length || subject.charCodeAt(value.length) === 0x2f)
      );
  }
}

/** The value of a field or pseudo field. */
function fieldOf(name: string, head: RequestHead, scheme: string): string | undefined {
  if (name.charCodeAt(0) === 0x3a) {
    switch (name) {
      case ':method':
        return head.method;
      case ':path':
        return head.path;
      case ':authority':
        return head.authority;
      case ':scheme':
        return scheme;
      default:
        return undefined;
    }
  }
  return name === 'host' ? head.authority : head.get(name);
}

function matchesHeaders(matches: readonly HeaderMatch[], subject: RouteSubject): boolean {
  for (const match of matches) {
    if (!matchesHeader(match, fieldOf(match.name, subject.head, subject.scheme))) {
      return false;
    }
  }
  return true;
}

/** `envoy.config.route.v3.HeaderMatcher`; `found` is undefined when the field is absent. */
export function matchesHeader(header: HeaderMatch, found: string | undefined): boolean {
  const { match } = header;
  const value = found ?? (header.treatMissingAsEmpty ? '' : undefined);
  if (match.kind === 'present') {
    return ((value !== undefined) === match.present) !== header.invert;
  }
  if (value === undefined) {
    // An absent field satisfies no matcher, so an inverted one is satisfied.
    return header.invert;
  }
  const matched = match.kind === 'range' ? inRange(value, match.start, match.end) : matchesString(match, value);
  return matched !== header.invert;
}

function inRange(value: string, start: bigint, end: bigint): boolean {
  if (!/^-?\d{1,19}$/.test(value)) {
    return false;
  }
  const number = BigInt(value);
  return number >= start && number < end;
}

function isGrpc(head: RequestHead): boolean {
  const type = head.getKnown(KnownHeader.contentType, 'content-type');
  return type !== undefined && (type === 'application/grpc' || type.startsWith('application/grpc+'));
}

function matchesQuery(matches: readonly QueryParameterMatch[], path: string): boolean {
  const question = path.indexOf('?');
  const query = question < 0 ? '' : path.slice(question + 1);
  const parameters = new Map<string, string>();
  for (const pair of query === '' ? [] : query.split('&')) {
    const equals = pair.indexOf('=');
    const name = percentDecoded(equals < 0 ? pair : pair.slice(0, equals));
    if (!parameters.has(name)) {
      parameters.set(name, percentDecoded(equals < 0 ? '' : pair.slice(equals + 1)));
    }
  }
  return matches.every(({ name, match }) => {
    const value = parameters.get(name);
    if (match.kind === 'present') {
      return (value !== undefined) === match.present;
    }
    return value !== undefined && matchesString(match, value);
  });
}

function percentDecoded(text: string): string {
  return text.includes('%')
    ? text.replace(/%([0-9a-fA-F]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
    : text;
}
