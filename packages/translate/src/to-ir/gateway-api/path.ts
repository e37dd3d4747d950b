import type { PathMatch, PathRewrite, RedirectAction } from '@weft/ir';

/** A path modifier of URLRewrite and RequestRedirect. */
export interface PathModifier {
  readonly type: 'ReplaceFullPath' | 'ReplacePrefixMatch';
  readonly replaceFullPath?: string | undefined;
  readonly replacePrefixMatch?: string | undefined;
}

/** `/a/` and `/a` are the same prefix of elements; `/` is every path. */
export function pathPrefix(value: string): PathMatch {
  const prefix = withoutSlash(value);
  return prefix === ''
    ? { kind: 'prefix', value: '/', ignoreCase: false }
    : { kind: 'segments', value: prefix, ignoreCase: false };
}

/** The path that a request goes on with. @param match that the rule's prefix stands in. */
export function pathRewrite(modifier: PathModifier | undefined, match: PathMatch): PathRewrite | undefined {
  const replaced = replacement(modifier, match);
  switch (replaced?.kind) {
    case 'full':
      return { kind: 'whole', value: replaced.value };
    case 'prefix':
      return { kind: 'matched', value: replaced.value };
    case 'regex':
      return replaced;
    default:
      return undefined;
  }
}

export function redirectPath(modifier: PathModifier | undefined, match: PathMatch): RedirectAction['path'] {
  const replaced = replacement(modifier, match);
  switch (replaced?.kind) {
    case 'full':
      return { kind: 'path', value: replaced.value };
    case 'prefix':
      return { kind: 'prefix', value: replaced.value };
    case 'regex':
      return replaced;
    default:
      return undefined;
  }
}

type Replacement =
  | { readonly kind: 'full' | 'prefix'; readonly value: string }
  | { readonly kind: 'regex'; readonly pattern: string; readonly substitution: string };

function replacement(modifier: PathModifier | undefined, match: PathMatch): Replacement | undefined {
  if (modifier === undefined) {
    return undefined;
  }
  if (modifier.type === 'ReplaceFullPath') {
    return { kind: 'full', value: modifier.replaceFullPath ?? '/' };
  }
  const prefix = withoutSlash(modifier.replacePrefixMatch ?? '');
  const matched = match.kind === 'segments' ? match.value : '';
  if (matched !== '' && prefix === '') {
    // The slash behind the prefix is what is left of it: taken as a part of what is replaced, there are neither two nor none.
    return { kind: 'regex', pattern: `^${escapeRegex(matched)}/*`, substitution: '/' };
  }
  // A prefix of `/` was matched by its slash, which the rest of the path lacks then.
  return { kind: 'prefix', value: matched === '' ? `${prefix}/` : prefix };
}

function withoutSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path;
}

/** A text as a regular expression that matches it alone. */
export function escapeRegex(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
