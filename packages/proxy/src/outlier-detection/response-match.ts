import type { ResponseHead } from '@weft/http-codec';
import { matchesHeader } from '../route/route-match.ts';
import type { HeaderMatch } from '../runtime-config/config.ts';
import type { ResponseMatch } from '../runtime-config/outlier-detection.ts';

export function matchesResponse(match: ResponseMatch, head: ResponseHead): boolean {
  switch (match.kind) {
    case 'any':
      return true;
    case 'headers':
      return match.headers.every((header) => matchesResponseHeader(header, head));
    case 'not':
      return !matchesResponse(match.match, head);
    case 'some':
      return match.of.some((each) => matchesResponse(each, head));
    case 'every':
      return match.of.every((each) => matchesResponse(each, head));
  }
}

/** A field of the head, or its `:status`. */
export function matchesResponseHeader(match: HeaderMatch, head: ResponseHead): boolean {
  return matchesHeader(match, match.name === ':status' ? String(head.status) : head.get(match.name));
}
