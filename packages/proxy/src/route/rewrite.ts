import type { RequestHead } from '@weft/http-codec';
import type { LinearRegex, RedirectAction } from '../runtime-config/config.ts';
import type { CompiledRoute } from './route-table.ts';

/** The path that goes upstream; the same string when nothing is rewritten. */
export function rewrittenPath(route: CompiledRoute, path: string): string {
  const { forward } = route;
  if (forward === undefined) {
    return path;
  }
  if (forward.prefixRewrite !== undefined) {
    return asPath(replacePrefix(route, path, forward.prefixRewrite));
  }
  if (forward.regexRewrite !== undefined) {
    return asPath(replaceInPath(path, forward.regexRewrite));
  }
  return path;
}

/** What the route matched on is replaced: a prefix, or the whole path (without query) where it was matched as a whole. */
function replacePrefix(route: CompiledRoute, path: string, replacement: string): string {
  return replacement + path.slice(route.path.kind === 'regex' ? pathEnd(path) : route.matchedPrefix.length);
}

/** @param rewrite applied to the path without its query. */
function replaceInPath(
  path: string,
  { regex, substitution }: { readonly regex: LinearRegex; readonly substitution: string },
): string {
  const end = pathEnd(path);
  return regex.replaceAll(path.slice(0, end), substitution) + path.slice(end);
}

/** The host that a regular expression makes of the path. */
export function hostOfPath(path: string, regex: LinearRegex, substitution: string): string {
  return regex.replaceAll(path.slice(0, pathEnd(path)), substitution);
}

/** Where the query begins, or the end. */
function pathEnd(path: string): number {
  const question = path.indexOf('?');
  return question < 0 ? path.length : question;
}

/** A rewrite may leave nothing or no leading slash: what goes out is a path in any case. */
function asPath(path: string): string {
  return path.startsWith('/') ? path : `/${path}`;
}

/**
 * The Location of a redirect (`envoy.config.route.v3.RedirectAction`).
 * @param scheme what the client asked for. @param forwardedProto by what it came, as `x-forwarded-proto` says it.
 */
export function redirectLocation(
  redirect: RedirectAction,
  route: CompiledRoute,
  head: RequestHead,
  scheme: string,
  forwardedProto: string,
): string {
  const newScheme = redirect.scheme ?? scheme;
  const host = redirect.host ?? requestHost(head.authority, forwardedProto, newScheme, redirect.port !== undefined);
  const port = redirect.port === undefined ? '' : `:${redirect.port}`;
  return `${newScheme}://${host}${port}${redirectPath(redirect, route, head.path)}`;
}

/** Where a request is, for direct responses that have to say it. */
export function ownLocation(head: RequestHead, scheme: string, forwardedProto: string): string {
  return `${scheme}://${requestHost(head.authority, forwardedProto, scheme, false)}${head.path}`;
}

/** The authority without a port that makes no sense any more: a new one comes, or it is the default of the old scheme. */
function requestHost(authority: string, scheme: string, newScheme: string, newPort: boolean): string {
  const end = authority.startsWith('[') ? authority.lastIndexOf(']:') + 1 : authority.lastIndexOf(':');
  if (end <= 0) {
    return authority;
  }
  const isOldDefault = newScheme !== scheme && authority.slice(end) === (scheme === 'https' ? ':443' : ':80');
  return newPort || isOldDefault ? authority.slice(0, end) : authority;
}

function redirectPath({ path: rewrite, stripQuery }: RedirectAction, route: CompiledRoute, path: string): string {
  const end = pathEnd(path);
  const query = stripQuery ? '' : path.slice(end);
  const pathOnly = path.slice(0, end);
  if (rewrite === undefined) {
    return pathOnly + query;
  }
  switch (rewrite.kind) {
    case 'path':
      // A query in the configuration takes the place of the request's.
      return rewrite.value.includes('?') ? rewrite.value : rewrite.value + query;
    case 'prefix':
      return replacePrefix(route, pathOnly, rewrite.value) + query;
    default:
      return replaceInPath(pathOnly, rewrite) + query;
  }
}
