import type { TestContext } from 'node:test';
import { type Attacker, openAttackers } from './under-attack.ts';

/** Frames by hand: what no HTTP/2 library would send. RFC 9113 §6 for the types. */
export const FrameType = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const endStream = 0x1;
export const endHeaders = 0x4;

const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

export function frame(type: number, flags: number, stream: number, payload: Uint8Array = new Uint8Array()): Buffer {
  const bytes = Buffer.alloc(9 + payload.length);
  bytes.writeUIntBE(payload.length, 0, 3);
  bytes[3] = type;
  bytes[4] = flags;
  bytes.writeUInt32BE(stream, 5);
  bytes.set(payload, 9);
  return bytes;
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** A literal field that goes into no table, or into the dynamic one (RFC 7541 §6.2). */
export function literal(name: string, value: string, intoTable = false): Buffer {
  return Buffer.concat([Buffer.from([intoTable ? 0x40 : 0x00]), text(name), text(value)]);
}

function text(value: string): Buffer {
  return Buffer.concat([integer(value.length, 7), Buffer.from(value, 'latin1')]);
}

/** RFC 7541 §5.1 */
function integer(value: number, prefixBits: number): Buffer {
  const limit = 2 ** prefixBits - 1;
  if (value < limit) {
    return Buffer.from([value]);
  }
  const bytes = [limit];
  let rest = value - limit;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  return Buffer.from([...bytes, rest]);
}

/** The pseudo fields of a request. */
export function requestFields(method: 'GET' | 'POST', path: string): Buffer {
  return Buffer.concat([
    Buffer.from([method === 'GET' ? 0x82 : 0x83, 0x86]),
    Buffer.concat([Buffer.from([0x04]), text(path)]),
    Buffer.concat([Buffer.from([0x01]), text('a')]),
  ]);
}

/** Settings as identifier and value. */
export function settings(...pairs: readonly (readonly [id: number, value: number])[]): Buffer {
  const payload = Buffer.alloc(pairs.length * 6);
  for (const [index, [id, value]] of pairs.entries()) {
    payload.writeUInt16BE(id, index * 6);
    payload.writeUInt32BE(value, index * 6 + 2);
  }
  return frame(FrameType.settings, 0, 0, payload);
}

/** Connections that have sent the preface and settings. */
export async function openHttp2Attackers(
  t: TestContext,
  port: number,
  count: number,
  first: Buffer = settings(),
): Promise<Attacker[]> {
  const attackers = await openAttackers(t, port, count);
  for (const { socket } of attackers) {
    socket.write(Buffer.concat([preface, first]));
  }
  return attackers;
}

/** The debug data of the GOAWAY that a connection got last; undefined if it got none. */
export function goawayReason(attacker: Attacker): string | undefined {
  const bytes = Buffer.from(attacker.answer, 'latin1');
  let reason: string | undefined;
  for (let at = 0; at + 9 <= bytes.length; ) {
    const length = bytes.readUIntBE(at, 3);
    if (bytes[at + 3] === FrameType.goaway) {
      reason = bytes.subarray(at + 9 + 8, at + 9 + length).toString('latin1');
    }
    at += 9 + length;
  }
  return reason;
}

/** How many frames of a type a connection got, optionally with this error code (RST_STREAM). */
export function framesOf(attacker: Attacker, type: number, errorCode?: number): number {
  const bytes = Buffer.from(attacker.answer, 'latin1');
  let count = 0;
  for (let at = 0; at + 9 <= bytes.length; ) {
    const length = bytes.readUIntBE(at, 3);
    const isWanted = bytes[at + 3] === type && at + 13 <= bytes.length;
    if (isWanted && (errorCode === undefined || bytes.readUInt32BE(at + 9) === errorCode)) {
      count += 1;
    }
    at += 9 + length;
  }
  return count;
}
