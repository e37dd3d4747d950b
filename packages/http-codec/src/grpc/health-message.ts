/** What gRPC's health checking protocol (`grpc.health.v1`) has on the wire, for those who check. */

/** The method that asks once. */
export const healthCheckPath = '/grpc.health.v1.Health/Check';

/** One byte of flags and four of length come before each message. */
const prefixBytes = 5;
/** `HealthCheckResponse.ServingStatus.SERVING` as a message: field 1, varint 1. */
const serving: readonly number[] = [0x08, 0x01];

/** The body of a request: one message, not compressed. @param service whose health is asked for; empty: that of the whole server. */
export function healthCheckRequest(service: string): Buffer {
  const name = Buffer.from(service);
  const fields = name.length === 0 ? [] : [0x0a, ...varint(name.length), ...name];
  const message = Buffer.alloc(prefixBytes + fields.length);
  message.writeUInt32BE(fields.length, 1);
  message.set(fields, prefixBytes);
  return message;
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) {
    bytes.push((rest & 0x7f) | 0x80);
  }
  return [...bytes, rest];
}

/** Whether the body of an answer is one message, not compressed, that says SERVING; servers send nothing else in it. */
export function saysServing(body: Buffer): boolean {
  return (
    body.length === prefixBytes + serving.length &&
    body[0] === 0 &&
    body.readUInt32BE(1) === serving.length &&
    serving.every((byte, index) => body[prefixBytes + index] === byte)
  );
}
