import { type HeadFields, KnownHeader } from '@weft/http-codec';

const contentType = Buffer.from('application/grpc', 'latin1');

/** Whether a message is gRPC: `application/grpc`, alone or with `+proto` or the like; not gRPC-Web. */
export function isGrpc(head: HeadFields): boolean {
  const index = head.indexOfKnown(KnownHeader.contentType);
  if (index < 0) {
    return false;
  }
  const start = head.valueStartAt(index);
  const length = head.valueEndAt(index) - start;
  if (length < contentType.length) {
    return false;
  }
  const { bytes } = head;
  for (let at = 0; at < contentType.length; at += 1) {
    if (bytes[start + at] !== contentType[at]) {
      return false;
    }
  }
  const after = bytes[start + contentType.length];
  return length === contentType.length || after === 0x2b || after === 0x3b;
}

const unitMs: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1 };
const unitsPerMs: Readonly<Record<string, number>> = { u: 1000, n: 1_000_000 };
const maxTimeoutValue = 99_999_999;

/** What `grpc-timeout` says, in whole milliseconds, rounded up; undefined when there is none or it is not valid. */
export function grpcTimeoutMs(head: HeadFields): number | undefined {
  const match = /^\+?0*(\d{1,8}) *([HMSmun])$/.exec(head.get('grpc-timeout') ?? '');
  if (match === null) {
    return undefined;
  }
  const [, value, unit = ''] = match;
  return Math.ceil((Number(value) * (unitMs[unit] ?? 1)) / (unitsPerMs[unit] ?? 1));
}

/** @param timeoutMs whole. @returns it in the smallest unit in which it has at most eight digits. */
export function grpcTimeoutText(timeoutMs: number): string {
  if (timeoutMs <= maxTimeoutValue) {
    return `${timeoutMs}m`;
  }
  let value = Math.floor(timeoutMs / 1000);
  for (const unit of 'SM') {
    if (value <= maxTimeoutValue) {
      return `${value}${unit}`;
    }
    value = Math.floor(value / 60);
  }
  return `${Math.min(value, maxTimeoutValue)}H`;
}
