import { HeadFields } from './head-fields.ts';

const free: HeadFields[] = [];
const maxFree = 256;

/** Cleared fields without a start line, as trailers are; from the free list if there are some. */
export function takeFields(): HeadFields {
  return free.pop() ?? new HeadFields();
}

/** Gives trailers back; the caller must not touch them any more. Whoever keeps them longer leaves them to the collector. */
export function releaseFields(fields: HeadFields): void {
  if (free.length < maxFree) {
    fields.clear();
    free.push(fields);
  }
}
