import { Place, showValue } from '../../place.ts';
import type { Violation } from '../../violation.ts';
import type { HttpRoute, VirtualService } from './virtual-service.ts';

/** A text that is the same for equal values, whatever the order of their fields. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, child: unknown) =>
    typeof child === 'object' && child !== null && !Array.isArray(child)
      ? Object.fromEntries(Object.entries(child).sort(([a], [b]) => (a < b ? -1 : 1)))
      : child,
  );
}

/** Whether a rule takes every request, so that no later one is reached. */
function takesEverything(route: HttpRoute): boolean {
  const matches = route.match ?? [];
  return (
    matches.length === 0 ||
    matches.some((match) => {
      const { name: _name, statPrefix: _prefix, ignoreUriCase: _case, uri, ...rest } = match;
      return Object.keys(rest).length === 0 && (uri === undefined || uri.prefix === '/');
    })
  );
}

function nameOf(route: HttpRoute, index: number): string {
  return route.name === undefined || route.name === '' ? `spec.http[${index}]` : showValue(route.name);
}

/** Rules that can never match, because an earlier one takes what they ask for; deprecated fields. */
export function warnOfVirtualService({ spec }: VirtualService): Violation[] {
  const root = Place.root();
  const place = root.at('spec', 'http');
  const seen = new Map<string, string>();
  let catchAll: string | undefined;
  for (const [index, route] of (spec?.http ?? []).entries()) {
    const here = place.at(index);
    if (catchAll !== undefined) {
      here.conflict(`the rule is never reached: ${catchAll} takes every request`, 'Move the rule before it.');
    }
    for (const [at, match] of (route.match ?? []).entries()) {
      const { name: _, ...condition } = match;
      const key = canonical(condition);
      const earlier = seen.get(key);
      if (earlier !== undefined && catchAll === undefined) {
        here.at('match', at).conflict(`${earlier} has the same match and comes first`, 'Remove one of the two.');
      }
      seen.set(key, earlier ?? nameOf(route, index));
    }
    if (catchAll === undefined && takesEverything(route)) {
      catchAll = nameOf(route, index);
    }
    warnOfDeprecated(here, route);
  }
  return root.violations;
}

function warnOfDeprecated(place: Place, route: HttpRoute): void {
  const old: readonly (readonly [path: readonly string[], set: boolean, use: string])[] = [
    [['mirrorPercent'], route.mirrorPercent !== undefined, 'mirrorPercentage'],
    [['mirror_percent'], route.mirror_percent !== undefined, 'mirrorPercentage'],
    [['corsPolicy', 'allowOrigin'], route.corsPolicy?.allowOrigin !== undefined, 'allowOrigins'],
    [['fault', 'delay', 'percent'], route.fault?.delay?.percent !== undefined, 'percentage'],
  ];
  for (const [path, set, use] of old) {
    if (set) {
      place.at(...path).forbidden('the field is deprecated', `Use ${use}.`);
    }
  }
}
