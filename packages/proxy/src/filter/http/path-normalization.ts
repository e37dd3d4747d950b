import type { HttpConnectionManagerConfig } from '../../runtime-config/config.ts';

/** The outcome of looking at a path: the same string, another one, a refusal or a redirect. */
export type NormalizedPath =
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'reject' }
  | { readonly kind: 'redirect'; readonly path: string };

type PathOptions = Pick<HttpConnectionManagerConfig, 'normalizePath' | 'mergeSlashes' | 'pathWithEscapedSlashes'>;

/** Whether nothing of `path` can be changed by `normalizePath`; the usual case, without making strings. */
export function isPlainPath(path: string): boolean {
  for (let index = 0; index < path.length; index += 1) {
    const code = path.charCodeAt(index);
    if (code === 0x3f) {
      return true;
    }
    if (code === 0x25 || code === 0x5c) {
      return false;
    }
    if (code === 0x2f) {
      const next = path.charCodeAt(index + 1);
      if (next === 0x2f || next === 0x2e) {
        return false;
      }
    }
  }
  return true;
}

/**
 * Envoy's order: escaped slashes, then RFC 3986 §6 (dot segments, escapes of unreserved characters, `\` as `/`), then
 * merging of slashes. The query is left alone.
 */
export function normalizePath(full: string, options: PathOptions): NormalizedPath {
  const question = full.indexOf('?');
  const query = question < 0 ? '' : full.slice(question);
  let path = question < 0 ? full : full.slice(0, question);
  let redirect = false;
  if (options.pathWithEscapedSlashes !== 'keep-unchanged' && /%(2f|5c)/i.test(path)) {
    if (options.pathWithEscapedSlashes === 'reject') {
      return { kind: 'reject' };
    }
    path = path.replace(/%2f/gi, '/').replace(/%5c/gi, '\\');
    redirect = options.pathWithEscapedSlashes === 'unescape-and-redirect';
  }
  if (options.normalizePath) {
    if (path.includes('%00')) {
      return { kind: 'reject' };
    }
    path = removeDotSegments(decodeUnreserved(path.replaceAll('\\', '/')));
  }
  if (options.mergeSlashes) {
    path = path.replace(/\/{2,}/g, '/');
  }
  return { kind: redirect ? 'redirect' : 'path', path: path + query };
}

function decodeUnreserved(path: string): string {
  return path.replace(/%([0-9a-f]{2})/gi, (escaped, digits: string) => {
    const character = String.fromCharCode(Number.parseInt(digits, 16));
    return /[A-Za-z0-9\-._~]/.test(character) ? character : escaped;
  });
}

/** RFC 3986 §5.2.4; a path cannot climb above its root. */
function removeDotSegments(path: string): string {
  const segments = path.split('/');
  const kept: string[] = [];
  for (let index = 1; index < segments.length; index += 1) {
    const segment = segments[index] ?? '';
    const last = index === segments.length - 1;
    if (segment === '..') {
      kept.pop();
      if (last) {
        kept.push('');
      }
    } else if (segment === '.') {
      if (last) {
        kept.push('');
      }
    } else {
      kept.push(segment);
    }
  }
  return `/${kept.join('/')}`;
}
