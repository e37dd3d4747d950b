import type { HttpMatch, HttpRoute } from '@weft/ir';

/** How specific a match is, in the order of Gateway API; the greater list comes first. */
export type Precedence = readonly number[];

/**
 * Exact path, longest prefix, method, most headers, most query parameters. Where regular expressions stand is left to us: before
 * prefixes, as behind the prefix `/` they would never be looked at.
 */
function precedenceOf({ path, headers, query }: HttpMatch): Precedence {
  const kind = path.kind === 'exact' ? 2 : path.kind === 'regex' ? 1 : 0;
  const methods = headers.filter(({ name }) => name === ':method').length;
  return [kind, path.value.length, methods, headers.length - methods, query.length];
}

/** Routes of one host in the order of {@link precedenceOf}; of equal ones the one given first comes first. */
export function byPrecedence(routes: readonly HttpRoute[]): readonly HttpRoute[] {
  return routes
    .map((route) => ({ route, precedence: precedenceOf(route.match) }))
    .sort((a, b) => compare(b.precedence, a.precedence))
    .map(({ route }) => route);
}

function compare(a: Precedence, b: Precedence): number {
  for (let index = 0; index < a.length; index += 1) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) {
      return difference;
    }
  }
  return 0;
}
