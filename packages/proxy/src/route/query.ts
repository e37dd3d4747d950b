/** The first value of each query parameter of a path, as it is written: nothing is decoded, as in Envoy. */
export function parseQuery(path: string): ReadonlyMap<string, string> {
  if (path === lastPath) {
    return lastParameters;
  }
  const parameters = new Map<string, string>();
  const question = path.indexOf('?');
  if (question >= 0) {
    for (const pair of path.slice(question + 1).split('&')) {
      const equals = pair.indexOf('=');
      const name = equals < 0 ? pair : pair.slice(0, equals);
      if (!parameters.has(name)) {
        parameters.set(name, equals < 0 ? '' : pair.slice(equals + 1));
      }
    }
  }
  lastPath = path;
  lastParameters = parameters;
  return parameters;
}

/** Several routes look at the same query one after the other. */
let lastPath = '';
let lastParameters: ReadonlyMap<string, string> = new Map();
