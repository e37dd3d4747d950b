/** Host names of listeners and routes: exact, or `*.` and a name, which covers every name below it. */

/**
 * The host names that both a listener and a route are for: of two that overlap the more specific one.
 * @param listener undefined: every name.
 * @param route empty: every name.
 * @returns `*` where both are for every name; empty when nothing is for both.
 */
export function commonHostnames(listener: string | undefined, route: readonly string[] | undefined): readonly string[] {
  if (route === undefined || route.length === 0) {
    return [(listener ?? '*').toLowerCase()];
  }
  const names = route.flatMap((name) => intersection((listener ?? '*').toLowerCase(), name.toLowerCase()) ?? []);
  return [...new Set(names)];
}

function intersection(a: string, b: string): string | undefined {
  if (covers(a, b)) {
    return b;
  }
  return covers(b, a) ? a : undefined;
}

/** Whether every name that `name` is for is one of `pattern`. */
export function covers(pattern: string, name: string): boolean {
  return (
    pattern === '*' ||
    pattern === name ||
    (pattern.startsWith('*.') && name !== '*' && name.endsWith(pattern.slice(1)) && name.length > pattern.length - 1)
  );
}

/** The names whose `covers` holds for `name`, most specific first: itself, the patterns above it, `*`. */
export function coveringNames(name: string): readonly string[] {
  const names = [name];
  const start = name.startsWith('*.') ? 2 : 0;
  for (let dot = name.indexOf('.', start); dot >= 0; dot = name.indexOf('.', dot + 1)) {
    names.push(`*${name.slice(dot)}`);
  }
  return name === '*' ? names : [...names, '*'];
}

/** What stands at the most specific name that covers `name`. */
export function mostSpecific<T>(byName: ReadonlyMap<string, T>, name: string): T | undefined {
  const found = coveringNames(name).find((covering) => byName.has(covering));
  return found === undefined ? undefined : byName.get(found);
}

/** Most specific first: exact names before patterns, longer ones first. */
export function bySpecificity(a: string, b: string): number {
  const wild = (name: string): number => (name.startsWith('*') ? 1 : 0);
  return wild(a) - wild(b) || b.length - a.length || (a < b ? -1 : 1);
}
