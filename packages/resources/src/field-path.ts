/** One step into an object: a field or map key (string), or a list index (number). */
export type PathSegment = string | number;

const plain = /^[A-Za-z_$][\w$-]*$/;

/** Adds one step to a path in Kubernetes' notation: `spec.http[0]`, `metadata.labels[app.kubernetes.io/name]`. */
export function joinPath(path: string, segment: PathSegment): string {
  if (typeof segment === 'number') {
    return `${path}[${segment}]`;
  }
  if (plain.test(segment)) {
    return path === '' ? segment : `${path}.${segment}`;
  }
  return /[[\]"]/.test(segment) || segment === '' ? `${path}[${JSON.stringify(segment)}]` : `${path}[${segment}]`;
}

/** The path made of `segments`, in Kubernetes' notation. */
export function formatPath(segments: Iterable<PathSegment>): string {
  let path = '';
  for (const segment of segments) {
    path = joinPath(path, segment);
  }
  return path;
}

const step = /\[("(?:[^"\\]|\\.)*")\]|\[([^\]]*)\]|\.?([^.[\]]+)/g;

/**
 * The inverse of {@link formatPath}. A step in brackets that is a number may be an index or a map key: it comes back
 * as a string, and whoever walks an object decides by what is there.
 */
export function parsePath(path: string): string[] {
  return [...path.matchAll(step)].map(([, quoted, bracketed, field]) =>
    quoted === undefined ? (bracketed ?? field ?? '') : (JSON.parse(quoted) as string),
  );
}
