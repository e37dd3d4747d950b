import { block } from '../../../packages/http-codec/test/hpack-blocks.ts';

/** HTTP/2 frames made and read by hand, independent of the code under test (of which only HPACK literals are shared, with its tests). */

export const preface: Buffer = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

export const Type = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const endStream = 1;
export const ack = 1;
export const endHeaders = 4;
export const padded = 8;
export const withPriority = 32;

export const Code = {
  NO_ERROR: 0,
  PROTOCOL_ERROR: 1,
  INTERNAL_ERROR: 2,
  FLOW_CONTROL_ERROR: 3,
  SETTINGS_TIMEOUT: 4,
  STREAM_CLOSED: 5,
  FRAME_SIZE_ERROR: 6,
  REFUSED_STREAM: 7,
  CANCEL: 8,
  COMPRESSION_ERROR: 9,
  CONNECT_ERROR: 10,
  ENHANCE_YOUR_CALM: 11,
} as const;

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

export function frame(type: number, flags: number, streamId: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header[3] = type;
  header[4] = flags;
  header.writeUInt32BE(streamId >>> 0, 5);
  return Buffer.concat([header, payload]);
}

export function uint32(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => void bytes.writeUInt32BE(value >>> 0, index * 4));
  return bytes;
}

export function settings(...pairs: readonly (readonly [number, number])[]): Buffer {
  const payload = Buffer.alloc(pairs.length * 6);
  pairs.forEach(([id, value], index) => {
    payload.writeUInt16BE(id, index * 6);
    payload.writeUInt32BE(value, index * 6 + 2);
  });
  return frame(Type.settings, 0, 0, payload);
}

export const settingsAck: Buffer = frame(Type.settings, ack, 0);
export const pingPayload: Buffer = Buffer.from('conforms');

export function ping(flags = 0): Buffer {
  return frame(Type.ping, flags, 0, pingPayload);
}

export function windowUpdate(streamId: number, increment: number): Buffer {
  return frame(Type.windowUpdate, 0, streamId, uint32(increment));
}

export function rstStream(streamId: number, code: number = Code.CANCEL): Buffer {
  return frame(Type.rstStream, 0, streamId, uint32(code));
}

export function priority(streamId: number, dependency: number, weight = 15, exclusive = false): Buffer {
  return frame(Type.priority, 0, streamId, priorityFields(dependency, weight, exclusive));
}

export function priorityFields(dependency: number, weight = 15, exclusive = false): Buffer {
  return Buffer.concat([uint32(exclusive ? dependency + 0x8000_0000 : dependency), Buffer.from([weight])]);
}

export function data(streamId: number, payload: string | Buffer, flags = 0): Buffer {
  return frame(Type.data, flags, streamId, Buffer.from(payload as string));
}

export type Fields = readonly (readonly [string, string])[];

const authority = 'conformance.test';

export function requestFields(method = 'GET', more: Fields = []): Fields {
  return [[':method', method], [':scheme', 'http'], [':path', '/'], [':authority', authority], ...more];
}

/** HEADERS with END_HEADERS and END_STREAM unless told otherwise. */
export function headers(
  streamId: number,
  fields: Fields | Buffer = requestFields(),
  flags: number = endHeaders | endStream,
): Buffer {
  return frame(Type.headers, flags, streamId, Buffer.isBuffer(fields) ? fields : block(fields));
}

export function continuation(streamId: number, payload: Buffer, flags: number = endHeaders): Buffer {
  return frame(Type.continuation, flags, streamId, payload);
}

/** Takes received bytes apart. */
export class FrameParser {
  #rest: Buffer = Buffer.alloc(0);

  push(bytes: Buffer): Frame[] {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    const frames: Frame[] = [];
    while (this.#rest.length >= 9) {
      const end = 9 + this.#rest.readUIntBE(0, 3);
      if (this.#rest.length < end) {
        break;
      }
      frames.push({
        type: this.#rest[3] ?? 0,
        flags: this.#rest[4] ?? 0,
        streamId: this.#rest.readUInt32BE(5),
        payload: this.#rest.subarray(9, end),
      });
      this.#rest = this.#rest.subarray(end);
    }
    return frames;
  }
}
