import type { HeadFields, RequestHead, ResponseHead } from '@weft/http-codec';
import type { HeaderAddition } from '../runtime-config/config.ts';

/** What an endpoint's answer says about it. */
export type Verdict = 'passed' | 'degraded' | 'refused' | 'retriable';

/** One question to an endpoint over HTTP, and how its answer is read; the object is used again for the next. */
export interface Exchange {
  readonly http2: boolean;
  /** Fills the head. @returns the body, empty for none. */
  ask(head: RequestHead): Buffer;
  onHead(head: ResponseHead): void;
  onData(bytes: Buffer, start: number, end: number): void;
  /** The answer is complete. */
  judge(trailers: HeadFields | undefined): Verdict;
  /** It said `x-envoy-immediate-health-check-fail`. */
  readonly isExcluded: boolean;
}

/** The user agent by which Envoy's checks are known to servers and their logs. */
export const checkUserAgent = 'Envoy/HC';

export function addFields(head: RequestHead, additions: readonly HeaderAddition[]): void {
  for (const { name, value, action, keepEmptyValue } of additions) {
    if (value === '' && !keepEmptyValue) {
      continue;
    }
    const isThere = head.has(name.toLowerCase());
    if (action === 'append' || (action === 'add-if-absent' && !isThere)) {
      head.add(name, value);
    } else if (action === 'overwrite' || (action === 'overwrite-if-exists' && isThere)) {
      head.set(name, value);
    }
  }
}
