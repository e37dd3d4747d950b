import { readContentLength } from '../http1/message-framing.ts';
import { KnownHeader } from '../known-header.ts';
import type { ResponseHead } from '../response-head.ts';

/**
 * Reads `content-length` of a response that came by HTTP/2.
 * @returns whether it is right: RFC 9113 §8.1.1.
 */
export function readResponseLength(head: ResponseHead): boolean {
  for (let index = head.indexOfKnown(KnownHeader.contentLength); index >= 0; ) {
    if (!readContentLength(head, index)) {
      return false;
    }
    index = head.indexOfKnown(KnownHeader.contentLength, index + 1);
  }
  return true;
}
