import assert from 'node:assert/strict';
import {
  ack,
  endHeaders,
  endStream,
  frame,
  padded,
  preface,
  rstStream,
  settings,
  Type,
  uint32,
  windowUpdate,
  withPriority,
} from '../../../packages/http-codec/test/hand-made-frames.ts';
import {
  block,
  indexed,
  integer,
  literal,
  sizeUpdate,
  string,
} from '../../../packages/http-codec/test/hpack-blocks.ts';
import {
  Code,
  continuation,
  data,
  headers,
  ping,
  pingPayload,
  priority,
  priorityFields,
  requestFields,
  settingsAck,
} from './frames.ts';
import { answersPing, isAnswered, isGiven200, type Stimulated } from './judge.ts';
import type { Http2Peer } from './peer.ts';

/** Does what a row describes. The connection is fresh; nothing was sent. */
export type Stimulus = (peer: Http2Peer) => Stimulated | Promise<Stimulated>;

const maxStreams = 100;
const shortBlock = block(requestFields());
/** Half-way through the block. */
const cut = 9;

function start(peer: Http2Peer, ...pairs: readonly (readonly [number, number])[]): void {
  peer.send(preface, settings(...pairs), settingsAck);
}

/** A stimulus that is only bytes after the preface. */
function bytes(...parts: readonly Buffer[]): Stimulus {
  return (peer) => {
    start(peer);
    peer.send(...parts);
    return {};
  };
}

/** The same, about stream 1. */
function onStream(...parts: readonly Buffer[]): Stimulus {
  return (peer) => {
    start(peer);
    peer.send(...parts);
    return { streams: [1] };
  };
}

const openPost = headers(1, requestFields('POST'), endHeaders);

/** Bytes after stream 1 was answered to its end. */
function onAnswered(...parts: readonly Buffer[]): Stimulus {
  return async (peer) => {
    start(peer);
    peer.send(headers(1));
    await peer.until('the answer', () => isAnswered(peer, 1));
    peer.send(...parts);
    return { streams: [1] };
  };
}

function malformed(fields: Parameters<typeof headers>[1]): Stimulus {
  return onStream(headers(1, fields));
}

function withoutField(name: string): Parameters<typeof headers>[1] {
  return requestFields().filter(([field]) => field !== name);
}

function badBlock(payload: Buffer): Stimulus {
  return onStream(headers(1, Buffer.concat([shortBlock, payload])));
}

const initialWindow = 4;

/** A small window, a GET, and what of the answer came by the time that a PING was answered. */
async function windowed(peer: Http2Peer, size: number): Promise<void> {
  start(peer, [initialWindow, size]);
  peer.send(headers(1));
  await peer.until('the head', () => peer.find(Type.headers, 1) !== undefined);
  if (size > 0) {
    await peer.until('DATA', () => peer.dataLength(1) > 0);
  }
  await answersPing(peer);
  assert.equal(peer.dataLength(1), size, peer.seen());
}

function paddedFrame(type: number, flags: number, streamId: number, payload: Buffer, padding: number): Buffer {
  return frame(type, flags | padded, streamId, Buffer.concat([Buffer.from([padding]), payload, Buffer.alloc(padding)]));
}

/** A literal with a Huffman coded value of these bytes. */
function coded(...value: readonly number[]): Buffer {
  return Buffer.concat([integer(0x00, 4, 0), string('x-a'), integer(0x80, 7, value.length), Buffer.from(value)]);
}

const representations: readonly Buffer[] = [
  Buffer.alloc(0),
  ...(['indexing', 'plain', 'never'] as const).flatMap((form) =>
    [false, true].flatMap((huffman) => [literal(58, 'agent', form, huffman), literal('x-new', 'value', form, huffman)]),
  ),
];

export const stimuli: Readonly<Record<string, Stimulus | readonly Stimulus[]>> = {
  'http2-3.5-1': bytes(),
  'http2-3.5-2': (peer) => {
    peer.send(Buffer.from('INVALID CONNECTION PREFACE\r\n\r\n'));
    return {};
  },
  'http2-4.1-1': bytes(frame(0x16, 0, 0, Buffer.alloc(8))),
  'http2-4.1-2': async (peer) => {
    start(peer);
    peer.send(frame(Type.ping, 0x16, 0, pingPayload));
    return {};
  },
  'http2-4.1-3': bytes(frame(Type.ping, 0, 0x8000_0000, pingPayload)),
  'http2-4.2-1': onStream(openPost, data(1, Buffer.alloc(16_384), endStream)),
  'http2-4.2-2': onStream(openPost, data(1, Buffer.alloc(16_385), endStream)),
  'http2-4.2-3': bytes(headers(1, requestFields('GET', [['x-a', 'a'.repeat(16_384)]]))),
  'http2-4.3-1': bytes(headers(1, Buffer.from([0x40, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]))),
  'http2-4.3-2': bytes(
    headers(1, shortBlock.subarray(0, cut), endStream),
    priority(1, 0),
    continuation(1, shortBlock.subarray(cut)),
  ),
  'http2-4.3-3': bytes(headers(1, shortBlock.subarray(0, cut), endStream), headers(3)),
  'http2-5.1-1': bytes(data(1, 'test')),
  'http2-5.1-2': bytes(rstStream(1)),
  'http2-5.1-3': bytes(windowUpdate(1, 100)),
  'http2-5.1-4': bytes(continuation(1, shortBlock)),
  'http2-5.1-5': onStream(headers(1), data(1, 'late', endStream)),
  'http2-5.1-6': onStream(headers(1), headers(1)),
  'http2-5.1-7': onStream(headers(1), continuation(1, shortBlock)),
  'http2-5.1-8': onStream(openPost, rstStream(1), data(1, 'late', endStream)),
  'http2-5.1-9': onStream(openPost, rstStream(1), headers(1)),
  'http2-5.1-10': onStream(openPost, rstStream(1), continuation(1, shortBlock)),
  'http2-5.1-11': onAnswered(data(1, 'late', endStream)),
  'http2-5.1-12': onAnswered(headers(1)),
  'http2-5.1-13': onAnswered(continuation(1, shortBlock)),
  'http2-5.1.1-1': bytes(headers(2)),
  'http2-5.1.1-2': bytes(headers(5), headers(3)),
  'http2-5.1.2-1': (peer) => {
    start(peer, [initialWindow, 0]);
    for (let index = 0; index <= maxStreams; index += 1) {
      peer.send(headers(1 + 2 * index));
    }
    return { streams: [1 + 2 * maxStreams] };
  },
  'http2-5.3.1-1': onStream(
    headers(1, Buffer.concat([priorityFields(1), shortBlock]), endHeaders | endStream | withPriority),
  ),
  'http2-5.3.1-2': onStream(openPost, priority(1, 1)),
  'http2-5.4.1-1': bytes(frame(Type.ping, 0, 0, Buffer.alloc(6))),
  'http2-5.4.1-2': bytes(frame(Type.ping, 0, 0, Buffer.alloc(6))),
  'http2-5.5-1': bytes(frame(0x16, 0xff, 0, Buffer.alloc(8)), frame(0x17, 0, 7)),
  'http2-5.5-2': bytes(headers(1, shortBlock.subarray(0, cut), endStream), frame(0x16, 0, 0, Buffer.alloc(8))),
  'http2-6.1-1': bytes(data(0, 'test', endStream)),
  'http2-6.1-2': onStream(headers(1), data(1, 'test')),
  'http2-6.1-3': bytes(
    headers(1, requestFields('POST', [['content-length', '4']]), endHeaders),
    frame(Type.data, padded | endStream, 1, Buffer.from([6, 1, 1, 1, 1])),
  ),
  'http2-6.2-1': bytes(headers(1, shortBlock.subarray(0, cut), endStream), priority(1, 0)),
  'http2-6.2-2': bytes(headers(1, shortBlock.subarray(0, cut), endStream), headers(3)),
  'http2-6.2-3': bytes(headers(0)),
  'http2-6.2-4': bytes(
    frame(Type.headers, endHeaders | endStream | padded, 1, Buffer.concat([Buffer.from([200]), shortBlock])),
  ),
  'http2-6.3-1': bytes(priority(0, 0)),
  'http2-6.3-2': onStream(openPost, frame(Type.priority, 0, 1, Buffer.alloc(4))),
  'http2-6.4-1': bytes(rstStream(0)),
  'http2-6.4-2': bytes(rstStream(1)),
  'http2-6.4-3': bytes(openPost, frame(Type.rstStream, 0, 1, Buffer.alloc(3))),
  'http2-6.5-1': bytes(frame(Type.settings, ack, 0, Buffer.alloc(6))),
  'http2-6.5-2': bytes(frame(Type.settings, 0, 1, Buffer.from([0, 3, 0, 0, 0, 1]))),
  'http2-6.5-3': bytes(frame(Type.settings, 0, 0, Buffer.alloc(3))),
  'http2-6.5.2-1': bytes(settings([2, 2])),
  'http2-6.5.2-2': bytes(settings([initialWindow, 0x8000_0000])),
  'http2-6.5.2-3': bytes(settings([5, 16_383])),
  'http2-6.5.2-4': bytes(settings([5, 16_777_216])),
  'http2-6.5.2-5': bytes(settings([0xff, 1])),
  'http2-6.5.3-1': async (peer) => {
    start(peer, [initialWindow, 100], [initialWindow, 1]);
    peer.send(headers(1));
    await peer.until('DATA', () => peer.dataLength(1) > 0);
    await answersPing(peer);
    assert.equal(peer.dataLength(1), 1, peer.seen());
    return { judged: true };
  },
  'http2-6.5.3-2': bytes(),
  'http2-6.7-1': bytes(ping()),
  'http2-6.7-2': bytes(frame(Type.ping, ack, 0, Buffer.from('nobodyas'))),
  'http2-6.7-3': bytes(frame(Type.ping, 0, 1, pingPayload)),
  'http2-6.7-4': bytes(frame(Type.ping, 0, 0, Buffer.alloc(9))),
  'http2-6.8-1': bytes(frame(Type.goaway, 0, 1, uint32(0, 0))),
  'http2-6.9-1': bytes(windowUpdate(0, 0)),
  'http2-6.9-2': onStream(openPost, windowUpdate(1, 0)),
  'http2-6.9-3': bytes(frame(Type.windowUpdate, 0, 0, Buffer.alloc(3))),
  'http2-6.9.1-1': async (peer) => {
    await windowed(peer, 1);
    return { judged: true };
  },
  'http2-6.9.1-2': bytes(windowUpdate(0, 0x7fff_ffff), windowUpdate(0, 0x7fff_ffff)),
  'http2-6.9.1-3': onStream(openPost, windowUpdate(1, 0x7fff_ffff), windowUpdate(1, 0x7fff_ffff)),
  'http2-6.9.2-1': async (peer) => {
    await windowed(peer, 0);
    peer.send(settings([initialWindow, 1]));
    await peer.until('DATA', () => peer.dataLength(1) > 0);
    await answersPing(peer);
    assert.equal(peer.dataLength(1), 1, peer.seen());
    return { judged: true };
  },
  'http2-6.9.2-2': async (peer) => {
    await windowed(peer, 3);
    // The window is 0, becomes -1, 0, and then 1.
    peer.send(settings([initialWindow, 2]));
    await answersPing(peer);
    peer.send(windowUpdate(1, 1));
    await answersPing(peer);
    assert.equal(peer.dataLength(1), 3, peer.seen());
    peer.send(windowUpdate(1, 1));
    await peer.until('DATA', () => peer.dataLength(1) > 3);
    await answersPing(peer);
    assert.equal(peer.dataLength(1), 4, peer.seen());
    return { judged: true };
  },
  'http2-6.9.2-3': bytes(settings([initialWindow, 0xffff_ffff])),
  'http2-6.10-1': onStream(
    headers(1, shortBlock.subarray(0, cut), endStream),
    continuation(1, shortBlock.subarray(cut, cut + 5), 0),
    continuation(1, shortBlock.subarray(cut + 5)),
  ),
  'http2-6.10-2': bytes(
    headers(1, shortBlock.subarray(0, cut), 0),
    continuation(1, shortBlock.subarray(cut, cut + 5), 0),
    data(1, 'test', endStream),
  ),
  'http2-6.10-3': bytes(headers(1, shortBlock.subarray(0, cut), endStream), continuation(0, shortBlock.subarray(cut))),
  'http2-6.10-4': bytes(openPost, continuation(1, shortBlock)),
  'http2-6.10-5': bytes(
    headers(1, block(requestFields('POST')).subarray(0, cut), 0),
    continuation(1, block(requestFields('POST')).subarray(cut)),
    continuation(1, shortBlock),
  ),
  'http2-6.10-6': bytes(openPost, data(1, 'test'), continuation(1, shortBlock)),
  'http2-7-1': bytes(frame(Type.goaway, 0, 0, uint32(0, 0xff))),
  'http2-7-2': bytes(openPost, rstStream(1, 0xff)),
  'http2-8.1-1': onStream(openPost, headers(1, [['x-trailer', 'a']], endHeaders)),
  'http2-8.1.2-1': malformed(requestFields('GET', [['X-Upper', 'a']])),
  'http2-8.1.2.1-1': malformed(requestFields('GET', [[':unknown', 'a']])),
  'http2-8.1.2.1-2': malformed(requestFields('GET', [[':status', '200']])),
  'http2-8.1.2.1-3': onStream(openPost, headers(1, [[':method', 'POST']])),
  'http2-8.1.2.1-4': malformed([['x-early', 'a'], ...requestFields()]),
  'http2-8.1.2.2-1': malformed(requestFields('GET', [['connection', 'keep-alive']])),
  'http2-8.1.2.2-2': malformed(requestFields('GET', [['te', 'trailers, deflate']])),
  'http2-8.1.2.3-1': malformed(requestFields().map(([name, value]) => [name, name === ':path' ? '' : value])),
  'http2-8.1.2.3-2': malformed(withoutField(':method')),
  'http2-8.1.2.3-3': malformed(withoutField(':scheme')),
  'http2-8.1.2.3-4': malformed(withoutField(':path')),
  'http2-8.1.2.3-5': malformed([[':method', 'GET'], ...requestFields()]),
  'http2-8.1.2.3-6': malformed([[':scheme', 'http'], ...requestFields()]),
  'http2-8.1.2.3-7': malformed([[':path', '/'], ...requestFields()]),
  'http2-8.1.2.6-1': onStream(
    headers(1, requestFields('POST', [['content-length', '1']]), endHeaders),
    data(1, 'test', endStream),
  ),
  'http2-8.1.2.6-2': onStream(
    headers(1, requestFields('POST', [['content-length', '1']]), endHeaders),
    data(1, 'te'),
    data(1, 'st', endStream),
  ),
  'http2-8.2-1': bytes(frame(Type.pushPromise, endHeaders, 1, Buffer.concat([uint32(2), shortBlock]))),

  'generic-1-1': onStream(headers(1)),
  'generic-2-1': bytes(priority(1, 0)),
  'generic-2-2': bytes(headers(1), windowUpdate(1, 1)),
  'generic-2-3': bytes(headers(1), priority(1, 0)),
  'generic-2-4': bytes(headers(1), rstStream(1)),
  'generic-2-5': onAnswered(priority(1, 0)),
  'generic-3.1-1': [
    onStream(openPost, data(1, 'test', endStream)),
    onStream(openPost, data(1, 'te'), data(1, 'st'), data(1, '', endStream)),
    onStream(openPost, paddedFrame(Type.data, endStream, 1, Buffer.from('test'), 5)),
  ],
  'generic-3.2-1': [
    onStream(headers(1)),
    onStream(paddedFrame(Type.headers, endHeaders | endStream, 1, shortBlock, 7)),
    onStream(headers(1, Buffer.concat([priorityFields(0, 255), shortBlock]), endHeaders | endStream | withPriority)),
  ],
  'generic-3.3-1': [
    onStream(priority(1, 0, 0), headers(1)),
    onStream(priority(1, 0, 255), headers(1)),
    onStream(priority(1, 3), headers(1)),
    onStream(priority(1, 3, 15, true), headers(1)),
    onStream(priority(3, 0), headers(1)),
  ],
  'generic-3.4-1': bytes(openPost, rstStream(1)),
  'generic-3.5-1': bytes(settings([3, 100])),
  'generic-3.7-1': bytes(ping()),
  'generic-3.8-1': bytes(frame(Type.goaway, 0, 0, uint32(0, Code.NO_ERROR))),
  'generic-3.9-1': [bytes(windowUpdate(0, 1)), bytes(openPost, windowUpdate(1, 1))],
  'generic-3.10-1': [
    onStream(headers(1, shortBlock.subarray(0, cut), endStream), continuation(1, shortBlock.subarray(cut))),
    onStream(
      headers(1, shortBlock.subarray(0, 4), endStream),
      continuation(1, shortBlock.subarray(4, 8), 0),
      continuation(1, shortBlock.subarray(8, 20), 0),
      continuation(1, shortBlock.subarray(20)),
    ),
  ],
  'generic-4-1': [
    onStream(headers(1)),
    async (peer) => {
      start(peer);
      peer.send(headers(1, requestFields('HEAD')), headers(3));
      await isGiven200(peer, 1, true);
      return { streams: [3] };
    },
    onStream(openPost, data(1, 'test', endStream)),
    onStream(openPost, data(1, 'test'), headers(1, [['x-trailer', 'a']])),
  ],
  'generic-5-1': representations.map((field) =>
    onStream(
      headers(
        1,
        Buffer.concat([field.length === 0 ? indexed(2) : literal(2, 'GET'), block(requestFields().slice(1)), field]),
      ),
    ),
  ),
  'generic-5-2': [
    onStream(headers(1, Buffer.concat([sizeUpdate(128), shortBlock]))),
    onStream(headers(1, Buffer.concat([sizeUpdate(128), sizeUpdate(4096), shortBlock]))),
  ],

  'hpack-2.3.3-1': badBlock(indexed(70)),
  'hpack-2.3.3-2': badBlock(literal(70, 'value')),
  'hpack-4.2-1': badBlock(sizeUpdate(1)),
  'hpack-5.2-1': badBlock(coded(0x1f, 0xff)),
  'hpack-5.2-2': badBlock(coded(0x18)),
  'hpack-5.2-3': badBlock(coded(0xff, 0xff, 0xff, 0xff)),
  'hpack-6.1-1': badBlock(indexed(0)),
  'hpack-6.3-1': onStream(headers(1, Buffer.concat([sizeUpdate(4097), shortBlock]))),
};
