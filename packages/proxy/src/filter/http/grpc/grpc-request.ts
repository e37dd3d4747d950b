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

const unitMs: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 0.001, n: 0.000_001 };

/** What `grpc-timeout` says, in milliseconds; undefined when there is none or it is not valid. */
export function grpcTimeoutMs(head: HeadFields): number | undefined {
  const match = /^(\d{1,8})([HMSmun])$/.exec(head.get('grpc-timeout') ?? '');
  const unit = unitMs[match?.[2] ?? ''];
  return match === null || unit === undefined ? undefined : Number(match[1]) * unit;
}
