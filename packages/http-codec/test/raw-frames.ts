import { defaultHttp2Settings, type Http2Settings } from '../src/http2/settings.ts';
import { type Frame, frame, parseFrames, preface, settings, Type } from './hand-made-frames.ts';
import { block } from './hpack-blocks.ts';
import { TestServer, taken } from './http2-peers.ts';

/** What tests of the codecs send as frames made by hand, and get. */

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

/** The frames that a side has put out since it was asked last. */
export function framesOf(side: { readonly out: TestServer['out'] }): Frame[] {
  return parseFrames(taken(side.out));
}

export function ofType(frames: readonly Frame[], type: number): Frame[] {
  return frames.filter((candidate) => candidate.type === type);
}
