import type { HeadFields } from '@weft/http-codec';
import type { CookieConfig } from '../../runtime-config/load-balancing.ts';

/** The value of the first cookie of that name in a request, without its quotes; empty when there is none. */
export function cookieValue(head: HeadFields, name: string): string {
  const search = { name, value: '' };
  head.someValue('cookie', findCookie, search);
  return search.value;
}

function findCookie(line: string, search: { readonly name: string; value: string }): boolean {
  const { name } = search;
  let start = 0;
  while (start < line.length) {
    const next = line.indexOf(';', start);
    const end = next < 0 ? line.length : next;
    while (line.charCodeAt(start) === 0x20 || line.charCodeAt(start) === 0x09) {
      start += 1;
    }
    if (line.startsWith(name, start) && line.charCodeAt(start + name.length) === 0x3d) {
      search.value = withoutQuotes(line.slice(start + name.length + 1, end).trimEnd());
      return true;
    }
    start = end + 1;
  }
  return false;
}

function withoutQuotes(value: string): string {
  return value.length >= 2 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
}

/** A `set-cookie` value, written as Envoy writes it. @param value needs no escaping. */
export function setCookieValue({ name, path, ttlSec, attributes }: CookieConfig, value: string): string {
  let text = `${name}="${value}"`;
  if (ttlSec !== undefined && ttlSec > 0) {
    text += `; Max-Age=${ttlSec}`;
  }
  if (path !== '') {
    text += `; Path=${path}`;
  }
  for (const attribute of attributes) {
    text += attribute.value === '' ? `; ${attribute.name}` : `; ${attribute.name}=${attribute.value}`;
  }
  return `${text}; HttpOnly`;
}
