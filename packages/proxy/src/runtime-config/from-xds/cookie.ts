import type { CookieConfig } from '../load-balancing.ts';
import type { Problems } from '../wire/problems.ts';

interface CookieFields {
  readonly name: string;
  readonly ttl: number | undefined;
  readonly path: string;
  readonly attributes: readonly { readonly name: string; readonly value: string }[];
}

/** RFC 6265 §4.1.1: a name is a token; values of attributes hold no control character and no semicolon. */
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const forbidden = /[\p{Cc};]/u;

/** A cookie that the proxy makes, of a hash policy or of a stateful session. The time to live is in whole seconds. */
export function cookieFromXds({ name, ttl, path, attributes }: CookieFields, problems: Problems): CookieConfig {
  if (name === '') {
    problems.add('required', 'name');
  } else if (!token.test(name)) {
    problems.add('is no name of a cookie', 'name');
  }
  if (forbidden.test(path)) {
    problems.add('holds a character that cookies cannot have', 'path');
  }
  problems.each('attributes', attributes, (attribute) => {
    if (!token.test(attribute.name)) {
      problems.add('is no name of an attribute', 'name');
    }
    if (forbidden.test(attribute.value)) {
      problems.add('holds a character that cookies cannot have', 'value');
    }
  });
  return {
    name,
    ttlSec: ttl === undefined ? undefined : Math.floor(ttl / 1000),
    path,
    attributes: attributes.map((attribute) => ({ name: attribute.name, value: attribute.value })),
  };
}
