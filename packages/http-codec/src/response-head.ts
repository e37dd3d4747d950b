import { HeadFields } from './head-fields.ts';

/** The head of a response, whatever protocol it came by. */
export class ResponseHead extends HeadFields {
  status = 0;
  /** Reason phrase, may be empty. */
  reason = '';
  minorVersion = 1;
  /** -1: not declared. */
  contentLength = -1;
  /** There is a `transfer-encoding: chunked` line. */
  chunked = false;
  keepAlive = true;
  /** Protocol of the Upgrade header, in lower case (101 only). */
  upgrade = '';

  override clear(): void {
    super.clear();
    this.status = 0;
    this.reason = '';
    this.minorVersion = 1;
    this.contentLength = -1;
    this.chunked = false;
    this.keepAlive = true;
    this.upgrade = '';
  }
}

const free: ResponseHead[] = [];
const maxFree = 256;

export function takeResponseHead(): ResponseHead {
  return free.pop() ?? new ResponseHead();
}

export function releaseResponseHead(head: ResponseHead): void {
  if (free.length < maxFree) {
    head.clear();
    free.push(head);
  }
}
