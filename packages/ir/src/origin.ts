/** The resource (at one generation) that a piece of the IR was made from. */
export interface OriginRef {
  /** API group, empty for core. */
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly generation: number;
}

/** `group/kind/namespace/name`: the same for all generations of a resource. */
export function originKey(origin: Omit<OriginRef, 'generation'>): string {
  return `${origin.group}/${origin.kind}/${origin.namespace}/${origin.name}`;
}

/** The union of `lists`, one entry for each resource, sorted by {@link originKey}. */
export function mergeOrigins(lists: Iterable<readonly OriginRef[]>): readonly OriginRef[] {
  const merged = new Map<string, OriginRef>();
  for (const list of lists) {
    for (const origin of list) {
      merged.set(originKey(origin), origin);
    }
  }
  return [...merged.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, origin]) => origin);
}
