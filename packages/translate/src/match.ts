import type { Labels } from './kinds.ts';

/** Whether `labels` has everything that `selector` asks for; an empty selector matches all. */
export function selects(selector: Labels | undefined, labels: Labels): boolean {
  for (const key in selector) {
    if (labels[key] !== selector[key]) {
      return false;
    }
  }
  return true;
}

/** Istio's `exportTo`: absent, empty and `*` are everywhere, `.` the own namespace, `~` nowhere. */
export function exportedTo(exportTo: readonly string[] | undefined, own: string, client: string): boolean {
  if (exportTo === undefined || exportTo.length === 0) {
    return true;
  }
  return exportTo.some((entry) => entry === '*' || entry === client || (entry === '.' && own === client));
}

/** Whether a wildcard host (`*` or `*.suffix`) covers `host`, which may be a wildcard itself. */
export function wildcardCovers(wildcard: string, host: string): boolean {
  return (
    wildcard === '*' ||
    (wildcard.startsWith('*') && host.length > wildcard.length - 1 && host.endsWith(wildcard.slice(1)))
  );
}

/** `<namespace>/<name>` of a gateway as a VirtualService of `namespace` writes it: also `name`, and `name.namespace.svc.…` of old. */
export function gatewayKey(name: string, namespace: string): string {
  if (name.includes('/')) {
    return name;
  }
  const [first = '', second] = name.split('.');
  return second === undefined ? `${namespace}/${name}` : `${second}/${first}`;
}
