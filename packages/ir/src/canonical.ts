/**
 * The same value for equal content: keys sorted, what is undefined left out, bytes as `base64:…`. Arrays keep their order, which
 * has a meaning everywhere in the IR. Made for golden files, comparison and hashing.
 */
export function canonical(value: unknown): unknown {
  if (value instanceof Uint8Array) {
    return `base64:${Buffer.from(value).toString('base64')}`;
  }
  if (Array.isArray(value)) {
    return value.map(canonical);
  }
  if (typeof value === 'object' && value !== null) {
    const sorted: Record<string, unknown> = {};
    for (const key of Object.keys(value).sort()) {
      const member = (value as Record<string, unknown>)[key];
      if (member !== undefined) {
        sorted[key] = canonical(member);
      }
    }
    return sorted;
  }
  return value;
}

/** Canonical form as one line of JSON: equal text means equal content. */
export function canonicalText(value: unknown): string {
  return JSON.stringify(canonical(value));
}
