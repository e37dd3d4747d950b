import type { RequestHead } from '@weft/http-codec';
import type { RedirectAction } from '../runtime-config/config.ts';
import type { CompiledRoute } from './route-table.ts';
import { withoutPort } from './route-table.ts';

/** The path that goes upstream; the same string when nothing is rewritten. */
export function rewrittenPath(route: CompiledRoute, path: string): string {
  const { forward } = route;
  if (forward === undefined) {
    return path;
  }
  if (forward.prefixRewrite !== undefined) {
    return replacePrefix(route, path, forward.prefixRewrite);
  }
  if (forward.regexRewrite !== undefined) {
    const question = path.indexOf('?');
    const pathOnly = question < 0 ? path : path.slice(0, question);
    const { regex, substitution } = forward.regexRewrite;
    return asPath(regex.replaceAll(pathOnly, substitution)) + (question < 0 ? '' : path.slice(question));
  }
  return path;
}

function replacePrefix(route: CompiledRoute, path: string, replacement: string): string {
  const { path: matched } = route.config.match;
  if (matched.kind === 'regex') {
    const question = path.indexOf('?');
    return asPath(replacement) + (question < 0 ? '' : path.slice(question));
  }
  return asPath(replacement + path.slice(matched.value.length));
}

/** A rewrite may leave nothing or no leading slash: what goes out is a path in any case. */
function asPath(path: string): string {
  return path.startsWith('/') ? path : `/${path}`;
}

/** The Location of a redirect (`envoy.config.route.v3.RedirectAction`). */
export function redirectLocation(
  redirect: RedirectAction,
  route: CompiledRoute,
  head: RequestHead,
  scheme: string,
): string {
  const newScheme = redirect.scheme ?? scheme;
  let host = redirect.host ?? head.authority;
  if (redirect.port !== undefined) {
    host = `${withoutPort(host)}:${redirect.port}`;
  } else if (redirect.host === undefined && newScheme !== scheme) {
    // A default port of the old scheme makes no sense under the new one.
    host = host.replace(scheme === 'http' ? /:80$/ : /:443$/, '');
  }
  const question = head.path.indexOf('?');
  const query = question < 0 || redirect.stripQuery ? '' : head.path.slice(question);
  const pathOnly = question < 0 ? head.path : head.path.slice(0, question);
  return `${newScheme}://${host}${redirectPath(redirect, route, pathOnly, query)}`;
}

function redirectPath(redirect: RedirectAction, route: CompiledRoute, pathOnly: string, query: string): string {
  const { path } = redirect;
  if (path === undefined) {
    return pathOnly + query;
  }
  if (path.kind === 'path') {
    return path.value.includes('?') ? path.value : path.value + query;
  }
  if (path.kind === 'prefix') {
    return asPath(replacePrefixOf(route, pathOnly, path.value)) + query;
  }
  return asPath(path.regex.replaceAll(pathOnly, path.substitution)) + query;
}

function replacePrefixOf(route: CompiledRoute, pathOnly: string, replacement: string): string {
  return route.config.match.path.kind === 'regex'
    ? replacement
    : replacement + pathOnly.slice(route.matchedPrefix.length);
}
