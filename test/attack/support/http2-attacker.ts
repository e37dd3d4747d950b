import type { TestContext } from 'node:test';
import {
  type Frame,
  parseFrames,
  preface,
  settings,
  Type,
} from '../../../packages/http-codec/test/hand-made-frames.ts';
import { indexed, literal } from '../../../packages/http-codec/test/hpack-blocks.ts';
import { type Attacker, openAttackers } from './under-attack.ts';

/** The pseudo fields of a request. */
export function requestFields(method: 'GET' | 'POST', path: string): Buffer {
  return Buffer.concat([indexed(method === 'GET' ? 2 : 3), indexed(6), literal(4, path), literal(1, 'a')]);
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

function received({ answer }: Attacker): Frame[] {
  return parseFrames(Buffer.from(answer, 'latin1'));
}

/** The debug data of the GOAWAY that a connection got last; undefined if it got none. */
export function goawayReason(attacker: Attacker): string | undefined {
  const last = received(attacker).findLast(({ type }) => type === Type.goaway);
  return last?.payload.subarray(8).toString('latin1');
}

/** How many frames of a type a connection got, optionally with this error code (RST_STREAM). */
export function framesOf(attacker: Attacker, type: number, errorCode?: number): number {
  return received(attacker).filter(
    (frame) => frame.type === type && (errorCode === undefined || frame.payload.readUInt32BE(0) === errorCode),
  ).length;
}
