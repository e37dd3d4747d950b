import type { RequestHead } from '@weft/http-codec';
import type { LinearRegex, RouteMatch } from '../runtime-config/config.ts';

/** A path match made ready: what is compared without regard to case is in lower case. */
export interface CompiledPath {
  readonly kind: 'exact' | 'prefix' | 'path-separated-prefix' | 'regex' | 'connect';
  /** Empty for regular expressions and CONNECT. */
  readonly value: string;
  readonly regex: LinearRegex | undefined;
  readonly caseSensitive: boolean;
}

export function compilePath(match: RouteMatch): CompiledPath {
  const { path, caseSensitive } = match;
  if (path.kind === 'regex' || path.kind === 'connect') {
    return { kind: path.kind, value: '', regex: path.kind === 'regex' ? path.regex : undefined, caseSensitive: true };
  }
  return {
    kind: path.kind,
    value: caseSensitive ? path.value : path.value.toLowerCase(),
    regex: undefined,
    caseSensitive,
  };
}

/** @param path without query. */
export function matchesPath(wanted: CompiledPath, head: RequestHead, path: string): boolean {
  const { value } = wanted;
  const subject = wanted.caseSensitive ? path : path.toLowerCase();
  switch (wanted.kind) {
    case 'exact':
      return subject === value;
    case 'prefix':
      return subject.startsWith(value);
    case 'path-separated-prefix':
      return endsSegment(subject, value.length) && subject.startsWith(value);
    case 'regex':
      return wanted.regex?.test(path) ?? false;
    default:
      return head.method === 'CONNECT';
  }
}

/** Whether `path` ends at `length` or goes on with a slash there. */
export function endsSegment(path: string, length: number): boolean {
  return path.length === length || path.charCodeAt(length) === 0x2f;
}
