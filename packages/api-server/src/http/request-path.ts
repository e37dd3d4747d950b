/** What a path of the API names. */
export interface ResourcePath {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
}

/**
 * `/api/v1/…` and `/apis/<group>/<version>/…`, with `namespaces/<namespace>/` before the resource. Undefined when the path has
 * another form or a part that is not well encoded.
 */
export function parseResourcePath(path: string): ResourcePath | undefined {
  const encoded = path.split('/').slice(1);
  const parts: string[] = [];
  for (const part of encoded) {
    try {
      parts.push(decodeURIComponent(part));
    } catch {
      return undefined;
    }
  }
  const core = parts[0] === 'api';
  if ((!core && parts[0] !== 'apis') || parts.some((part) => part === '')) {
    return undefined;
  }
  const [group, version, ...rest] = core ? ['', parts[1], ...parts.slice(2)] : [parts[1], parts[2], ...parts.slice(3)];
  const [first, second, third, fourth, fifth] = rest;
  if (group === undefined || version === undefined || first === undefined) {
    return undefined;
  }
  if (first === 'namespaces' && third !== undefined && !(group === '' && third === 'status') && third !== 'finalize') {
    return rest.length > 5
      ? undefined
      : { group, version, plural: third, namespace: second, name: fourth, subresource: fifth };
  }
  return rest.length > 3
    ? undefined
    : { group, version, plural: first, namespace: undefined, name: second, subresource: third };
}
