import { type HeaderChanges, type HeaderEdits, type HeaderValue, noHeaderEdits } from '@weft/ir';
import type { HeaderOperationsSpec, HeadersSpec } from '../kinds.ts';
import { headerFormat } from './header-format.ts';

/** Headers that are no headers to Envoy: the host is rewritten by the route, pseudo headers cannot be edited at all. */
export function isHostHeader(name: string): boolean {
  const lower = name.toLowerCase();
  return lower === 'host' || lower === ':authority';
}

export function isEditable(name: string): boolean {
  return !isHostHeader(name) && !name.startsWith(':');
}

function values(spec: Readonly<Record<string, string>> | undefined): readonly HeaderValue[] {
  return Object.entries(spec ?? {})
    .filter(([name]) => isEditable(name))
    .map(([name, value]) => ({ name, value: headerFormat(value) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function changes(spec: HeaderOperationsSpec | undefined): HeaderChanges {
  return { set: values(spec?.set), add: values(spec?.add), remove: (spec?.remove ?? []).filter(isEditable) };
}

export function headerEdits(spec: HeadersSpec | undefined): HeaderEdits {
  return spec === undefined ? noHeaderEdits : { request: changes(spec.request), response: changes(spec.response) };
}

/** The authority that `headers.request.set` asks for. */
export function hostFromHeaders(spec: HeadersSpec | undefined): string | undefined {
  const entry = Object.entries(spec?.request?.set ?? {}).find(([name]) => isHostHeader(name));
  return entry?.[1];
}
