import { ack, endHeaders, endStream, frame, Type, uint32 } from '../../../packages/http-codec/test/hand-made-frames.ts';
import { block } from '../../../packages/http-codec/test/hpack-blocks.ts';

/** What the rows send besides the frames of `hand-made-frames.ts`; HPACK literals are shared with the tests of the codec, too. */

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

export const settingsAck: Buffer = frame(Type.settings, ack, 0);
export const pingPayload: Buffer = Buffer.from('conforms');

export function ping(flags = 0): Buffer {
  return frame(Type.ping, flags, 0, pingPayload);
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
