import { KnownHeader, type RequestHead } from '@weft/http-codec';
import type { HeaderMatch, QueryParameterMatch, RouteMatch } from '../runtime-config/config.ts';
import type { TlsFacts } from '../stream-info.ts';
import { type CompiledPath, matchesPath } from './path-match.ts';
import { parseQuery } from './query.ts';
import { matchesString } from './string-match.ts';

/** What routes are matched against. */
export interface RouteSubject {
  readonly head: RequestHead;
  readonly scheme: string;
  /** `head.path` without its query. */
  readonly pathOnly: string;
  /** Of the client's connection. */
  readonly tls: TlsFacts | undefined;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/** Everything that a route asks for; `path` is that of the subject. */
export function matchesRoute(match: RouteMatch, wanted: CompiledPath, subject: RouteSubject, path: string): boolean {
  return matchesPath(wanted, subject.head, path) && matchesRest(match, subject);
}

/** What a route asks for besides the path. */
export function matchesRest(match: RouteMatch, subject: RouteSubject): boolean {
  return (
    (match.headers.length === 0 || matchesHeaders(match.headers, subject)) &&
    (match.queryParameters.length === 0 || matchesQuery(match.queryParameters, subject.head.path)) &&
    (!match.grpcOnly || isGrpc(subject.head)) &&
    (match.tls === undefined || matchesTls(match.tls, subject.tls)) &&
    (match.runtimeFraction === undefined || subject.random() * 1_000_000 < match.runtimeFraction)
  );
}

/** The value of a pseudo field or of the host; undefined for others. */
function pseudoField(name: string, head: RequestHead, scheme: string): string | undefined {
  switch (name) {
    case ':method':
      return head.method;
    case ':path':
      return head.path;
    case ':authority':
    case 'host':
      return head.authority;
    case ':scheme':
      return scheme;
    default:
      return undefined;
  }
}

export function matchesHeaders(
  matches: readonly HeaderMatch[],
  subject: Pick<RouteSubject, 'head' | 'scheme'>,
): boolean {
  for (const match of matches) {
    if (!matchesField(match, subject)) {
      return false;
    }
  }
  return true;
}

/** Whether one of the matchers is satisfied. */
export function matchesAnyHeader(
  matches: readonly HeaderMatch[],
  subject: Pick<RouteSubject, 'head' | 'scheme'>,
): boolean {
  return matches.some((match) => matchesField(match, subject));
}

function matchesField(match: HeaderMatch, { head, scheme }: Pick<RouteSubject, 'head' | 'scheme'>): boolean {
  const { name } = match;
  return name.charCodeAt(0) === 0x3a || name === 'host'
    ? matchesHeader(match, pseudoField(name, head, scheme))
    : matchesLines(match, head);
}

/** The lines of a field: one of them has to match, as in Envoy since 1.38. */
function matchesLines(header: HeaderMatch, head: RequestHead): boolean {
  const { match } = header;
  if (match.kind === 'present') {
    return ((head.has(header.name) || header.treatMissingAsEmpty) === match.present) !== header.invert;
  }
  const matched = head.someValue(header.name, matchesValue, match);
  return matched === undefined ? matchesHeader(header, undefined) : matched !== header.invert;
}

/** `envoy.config.route.v3.HeaderMatcher`; `found` is undefined when the field is absent. */
export function matchesHeader(header: HeaderMatch, found: string | undefined): boolean {
  const { match } = header;
  const value = found ?? (header.treatMissingAsEmpty ? '' : undefined);
  if (match.kind === 'present') {
    return ((value !== undefined) === match.present) !== header.invert;
  }
  // An absent field matches nothing, not even what is inverted.
  return value === undefined ? false : matchesValue(value, match) !== header.invert;
}

type ValueMatch = Exclude<HeaderMatch['match'], { readonly kind: 'present' }>;

function matchesValue(value: string, match: ValueMatch): boolean {
  return match.kind === 'range' ? inRange(value, match.start, match.end) : matchesString(match, value);
}

function inRange(value: string, start: bigint, end: bigint): boolean {
  if (!/^[+-]?\d{1,19}$/.test(value)) {
    return false;
  }
  const number = BigInt(value.startsWith('+') ? value.slice(1) : value);
  return number >= start && number < end;
}

function isGrpc(head: RequestHead): boolean {
  const type = head.getKnown(KnownHeader.contentType, 'content-type');
  return type !== undefined && (type === 'application/grpc' || type.startsWith('application/grpc+'));
}

/** A certificate that was given without TLS there is none of; what is given is verified, or the connection is refused. */
function matchesTls(wanted: NonNullable<RouteMatch['tls']>, tls: TlsFacts | undefined): boolean {
  const presented = tls !== undefined && tls.peerCertificateSha256 !== '';
  const validated = tls?.peerVerified ?? false;
  return (
    (wanted.presented === undefined || wanted.presented === presented) &&
    (wanted.validated === undefined || wanted.validated === validated)
  );
}

function matchesQuery(matches: readonly QueryParameterMatch[], path: string): boolean {
  const parameters = parseQuery(path);
  for (const { name, match } of matches) {
    const value = parameters.get(name);
    const matched =
      match.kind === 'present'
        ? (value !== undefined) === match.present
        : value !== undefined && matchesString(match, value);
    if (!matched) {
      return false;
    }
  }
  return true;
}
