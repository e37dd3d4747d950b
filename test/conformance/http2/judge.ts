import assert from 'node:assert/strict';
import { ack, endStream, type Frame, Type } from '../../../packages/http-codec/test/hand-made-frames.ts';
import { Code, ping, pingPayload } from './frames.ts';
import type { Http2Peer } from './peer.ts';

/** How the rows of `http2-server-requirements.json` say what has to happen. */
export interface Expectation {
  readonly kind:
    | 'accept'
    | 'connection-close'
    | 'connection-error'
    | 'first-frame-settings'
    | 'goaway'
    | 'ignore'
    | 'ping-ack'
    | 'ping-ack-or-close'
    | 'respond'
    | 'settings-ack'
    | 'stream-error'
    | 'window-respected';
  readonly codes?: readonly (keyof typeof Code)[];
}

/** What a stimulus leaves to judge. */
export interface Stimulated {
  /** The streams that it is about. */
  readonly streams?: readonly number[];
  /** `window-respected`: done by the row itself. */
  readonly judged?: boolean;
}

function goawayOf(peer: Http2Peer): Frame | undefined {
  return peer.find(Type.goaway, 0);
}

function codeOf(frame: Frame): number {
  return frame.payload.readUInt32BE(frame.type === Type.goaway ? 4 : 0);
}

export async function answersPing(peer: Http2Peer): Promise<void> {
  const before = peer.frames.length;
  peer.send(ping());
  await peer.until('an answer to PING', () => peer.frames.slice(before).some(isPingAck));
}

function isPingAck(frame: Frame): boolean {
  return frame.type === Type.ping && (frame.flags & ack) !== 0 && frame.payload.equals(pingPayload);
}

export function isAnswered(peer: Http2Peer, streamId: number): boolean {
  return peer.frames.some((frame) => frame.streamId === streamId && frame.type <= 1 && (frame.flags & endStream) !== 0);
}

/** A response that begins with the status 200 (static index 8 of HPACK) and has a body. */
export async function isGiven200(peer: Http2Peer, streamId: number, bodyless = false): Promise<void> {
  await peer.until(`an answer on stream ${streamId}`, () => isAnswered(peer, streamId));
  const head = peer.find(Type.headers, streamId);
  assert.ok(head, peer.seen());
  assert.equal(head.payload[0], 0x88, `status 200 on stream ${streamId}; ${peer.seen()}`);
  assert.equal(peer.dataLength(streamId) > 0, !bodyless, peer.seen());
}

export async function judge(peer: Http2Peer, expectation: Expectation, stimulated: Stimulated): Promise<void> {
  const codes = (expectation.codes ?? []).map((name) => Code[name]) as number[];
  const streams = stimulated.streams ?? [];
  switch (expectation.kind) {
    case 'connection-error':
    case 'goaway': {
      await peer.until('GOAWAY', () => goawayOf(peer) !== undefined);
      const goaway = goawayOf(peer);
      assert.ok(goaway !== undefined && codes.includes(codeOf(goaway)), peer.seen());
      await peer.until('the end of the connection', () => peer.closed);
      return;
    }
    case 'stream-error': {
      const [streamId = -1] = streams;
      await peer.until(
        'RST_STREAM or GOAWAY',
        () => peer.find(Type.rstStream, streamId) !== undefined || goawayOf(peer) !== undefined,
      );
      const frame = peer.find(Type.rstStream, streamId) ?? goawayOf(peer);
      assert.ok(frame !== undefined && codes.includes(codeOf(frame)), peer.seen());
      if (frame.type === Type.rstStream) {
        await answersPing(peer);
      }
      return;
    }
    case 'connection-close':
      await peer.until('the end of the connection', () => peer.closed);
      return;
    case 'ignore':
    case 'accept':
      await answersPing(peer);
      assert.equal(goawayOf(peer), undefined, peer.seen());
      assert.ok(
        !peer.frames.some((frame) => frame.type === Type.rstStream && codeOf(frame) !== Code.NO_ERROR),
        peer.seen(),
      );
      return;
    case 'respond':
      assert.ok(streams.length > 0);
      for (const streamId of streams) {
        await isGiven200(peer, streamId);
      }
      assert.equal(goawayOf(peer), undefined, peer.seen());
      return;
    case 'settings-ack':
      await peer.until('SETTINGS ACK', () =>
        peer.frames.some((frame) => frame.type === Type.settings && (frame.flags & ack) !== 0),
      );
      return;
    case 'ping-ack':
      await peer.until('an answer to PING', () => peer.frames.some(isPingAck));
      return;
    case 'ping-ack-or-close':
      peer.send(ping());
      await peer.until('an answer to PING, or the end', () => peer.closed || peer.frames.some(isPingAck));
      return;
    case 'first-frame-settings':
      await peer.until('a frame', () => peer.frames.length > 0);
      assert.equal(peer.frames[0]?.type, Type.settings, peer.seen());
      assert.equal((peer.frames[0]?.flags ?? 0) & ack, 0);
      return;
    default:
      assert.equal(stimulated.judged, true);
  }
}
