import { defaultHttp2Settings, type Http2Settings } from '../src/http2/settings.ts';
import { block } from './hpack-blocks.ts';
import { TestServer, taken } from './http2-peers.ts';

/** Frames made by hand, for tests of the codecs. */

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

export type Fields = readonly (readonly [string, string])[];

export const getFields: Fields = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':path', '/'],
  [':authority', 'a.test'],
];

/** HEADERS with END_HEADERS and END_STREAM unless told otherwise. */
export function headers(streamId: number, fields: Fields = getFields, flags = 5): Buffer {
  return frame(Type.headers, flags, streamId, block(fields));
}

export function data(streamId: number, payload: Buffer, flags = 0): Buffer {
  return frame(Type.data, flags, streamId, payload);
}

export function windowUpdate(streamId: number, increment: number): Buffer {
  return frame(Type.windowUpdate, 0, streamId, uint32(increment));
}

export function rstStream(streamId: number, code = 8): Buffer {
  return frame(Type.rstStream, 0, streamId, uint32(code));
}

export function ping(flags = 0): Buffer {
  return frame(Type.ping, flags, 0, Buffer.from('12345678'));
}

/** A server whose client has sent its preface and these settings, and acknowledged ours. */
export function openServer(
  ours: Partial<Http2Settings> = {},
  theirs: readonly (readonly [number, number])[] = [],
): TestServer {
  const server = new TestServer({ ...defaultHttp2Settings, ...ours });
  server.receive(Buffer.concat([preface, settings(...theirs), frame(Type.settings, 1, 0)]));
  taken(server.out);
  return server;
}

export function parseFrames(bytes: Buffer): Frame[] {
  const frames: Frame[] = [];
  for (let at = 0; at + 9 <= bytes.length; ) {
    const end = at + 9 + bytes.readUIntBE(at, 3);
    frames.push({
      type: bytes[at + 3] ?? 0,
      flags: bytes[at + 4] ?? 0,
      streamId: bytes.readUInt32BE(at + 5),
      payload: bytes.subarray(at + 9, end),
    });
    at = end;
  }
  return frames;
}

/** The frames that a side has put out since it was asked last. */
export function framesOf(side: { readonly out: TestServer['out'] }): Frame[] {
  return parseFrames(taken(side.out));
}

export function ofType(frames: readonly Frame[], type: number): Frame[] {
  return frames.filter((candidate) => candidate.type === type);
}
