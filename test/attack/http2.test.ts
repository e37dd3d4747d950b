import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { eventually } from '@weft/testkit';
import {
  endHeaders,
  endStream,
  frame,
  settings,
  Type,
  uint32,
} from '../../packages/http-codec/test/hand-made-frames.ts';
import { literal } from '../../packages/http-codec/test/hpack-blocks.ts';
import { framesOf, goawayReason, openHttp2Attackers, requestFields } from './support/http2-attacker.ts';
import { type Attack, type Attacker, loggedWith, pause, underAttack } from './support/under-attack.ts';

const attackers = 20;
const ids = (count: number): number[] => Array.from({ length: count }, (_, index) => 2 * index + 1);
const head = (stream: number, flags: number, path = '/good'): Buffer =>
  frame(Type.headers, flags | endHeaders, stream, requestFields('GET', path));
const post = (stream: number): Buffer => frame(Type.headers, endHeaders, stream, requestFields('POST', '/good'));

interface Flood extends Partial<Attack> {
  /** What the GOAWAY and the log have to say. */
  readonly reason: string;
  /** What each connection sends, again and again, until it is closed. */
  readonly burst: (round: number) => Buffer;
  readonly rounds?: number;
  /** The attacker does not read what comes back. */
  readonly deaf?: boolean;
}

/** Floods that end with GOAWAY ENHANCE_YOUR_CALM, the limit's name in it and in the log. */
async function flood(t: TestContext, { reason, burst, rounds = 40, deaf = false, ...attack }: Flood): Promise<void> {
  const proxy = await underAttack(t, {
    http2: true,
    mayGrowMib: 80,
    attack: async ({ port }) => {
      const floods = await openHttp2Attackers(t, port, attackers);
      if (deaf) {
        for (const { socket } of floods) {
          socket.pause();
        }
      }
      for (let round = 0; round < rounds && floods.some(({ closed }) => !closed); round += 1) {
        const bytes = burst(round);
        for (const { socket, closed } of floods) {
          if (!closed && socket.writable) {
            socket.write(bytes);
          }
        }
        await pause(10);
      }
      if (deaf) {
        for (const { socket } of floods) {
          socket.resume();
        }
      }
      await Promise.all(floods.map(({ ended }) => ended));
      const reasons = floods.map(goawayReason).filter((found) => found !== undefined);
      // A reset that overtakes the GOAWAY takes it away.
      assert.ok(
        reasons.every((found) => found.startsWith(reason)),
        reasons.join(),
      );
    },
    ...attack,
  });
  // One line for the connection; a request that was under way has one of its own.
  await eventually(async () => (await loggedWith(proxy, reason)) >= attackers, {
    what: `${attackers} lines with ${reason}`,
  }).catch(async (error: unknown) => {
    const seen = new Map<string, number>();
    for (const { details } of await proxy.logged()) {
      seen.set(details, (seen.get(details) ?? 0) + 1);
    }
    throw new Error(`the log has ${JSON.stringify([...seen])}`, { cause: error });
  });
}

test('rapid reset (CVE-2023-44487)', (t) =>
  flood(t, {
    reason: 'http2.inbound_reset_frames_flood',
    burst: (round) =>
      Buffer.concat(
        ids(50).flatMap((id) => {
          const stream = id + round * 100;
          return [head(stream, endStream), frame(Type.rstStream, 0, stream, uint32(8))];
        }),
      ),
  }));

test('resets that the peer makes us send (CVE-2025-8671)', (t) =>
  flood(t, {
    reason: 'http2.inbound_reset_frames_flood',
    burst: (round) =>
      Buffer.concat(
        ids(40).flatMap((id) => {
          const stream = id + round * 80;
          // A window update of 0 is an error of the stream.
          return [head(stream, endStream), frame(Type.windowUpdate, 0, stream, uint32(0))];
        }),
      ),
  }));

test('CONTINUATION flood (CVE-2024-27316)', (t) =>
  flood(t, {
    reason: 'http2.inbound_continuation_frames_flood',
    burst: (round) =>
      round === 0
        ? frame(Type.headers, endStream, 1, requestFields('GET', '/'))
        : frame(Type.continuation, 0, 1, literal('x', 'y')),
  }));

test('SETTINGS flood from a peer that does not read the answers', (t) =>
  flood(t, {
    reason: 'http2.outbound_control_frames_flood',
    deaf: true,
    rounds: 600,
    burst: () => Buffer.concat(Array.from({ length: 2000 }, () => settings([3, 100]))),
  }));

test('PING flood from a peer that does not read the answers', (t) =>
  flood(t, {
    reason: 'http2.outbound_control_frames_flood',
    deaf: true,
    rounds: 600,
    burst: () => Buffer.concat(Array.from({ length: 2000 }, () => frame(Type.ping, 0, 0, Buffer.alloc(8)))),
  }));

test('empty DATA frames', (t) =>
  flood(t, {
    reason: 'http2.inbound_empty_frames_flood',
    burst: (round) => (round === 0 ? post(1) : frame(Type.data, 0, 1)),
  }));

test('PRIORITY flood', (t) =>
  flood(t, {
    reason: 'http2.inbound_priority_frames_flood',
    burst: () => Buffer.concat(ids(100).map((id) => frame(Type.priority, 0, id, Buffer.alloc(5)))),
  }));

test('WINDOW_UPDATE flood', (t) =>
  flood(t, {
    reason: 'http2.inbound_window_update_frames_flood',
    burst: () => Buffer.concat(Array.from({ length: 50 }, () => frame(Type.windowUpdate, 0, 0, uint32(1)))),
  }));

test('HPACK bomb: small on the wire, large when decoded: 431 for each head, and no memory taken', async (t) => {
  const value = 'v'.repeat(3900);
  const bomb = Buffer.concat([requestFields('GET', '/good'), Buffer.alloc(1000, 0x80 | 62)]);
  const proxy = await underAttack(t, {
    http2: true,
    mayGrowMib: 80,
    attack: async ({ port }) => {
      const bombs = await openHttp2Attackers(t, port, attackers);
      const first = Buffer.concat([requestFields('GET', '/good'), literal('x-bomb', value, 'indexing')]);
      for (const { socket } of bombs) {
        socket.write(frame(Type.headers, endHeaders | endStream, 1, first));
        socket.write(Buffer.concat(ids(30).map((id) => frame(Type.headers, endHeaders | endStream, id + 2, bomb))));
      }
      await pause(1500);
    },
  });
  const refused =
    (await loggedWith(proxy, 'http2.headers_too_large')) + (await loggedWith(proxy, 'http2.too_many_headers'));
  assert.ok(refused >= attackers, `${refused} heads were refused`);
});

test('zero-window stall: answers that may not be sent are bounded and given up with SI', async (t) => {
  const streams = 50;
  const proxy = await underAttack(t, {
    http2: true,
    manager: { stream_idle_timeout: '3s' },
    mayGrowMib: 250,
    attack: async ({ port }) => {
      const stalls = await openHttp2Attackers(t, port, 10, settings([4, 0]));
      for (const { socket } of stalls) {
        socket.write(Buffer.concat(ids(streams).map((id) => head(id, endStream, '/medium'))));
      }
      await pause(5000);
    },
  });
  await eventually(async () => (await loggedWith(proxy, 'stream_idle_timeout', 'SI')) === 10 * streams, {
    what: 'all streams are given up',
  });
});

test('stream exhaustion: more streams than allowed are refused, those without an end are given up', async (t) => {
  const proxy = await underAttack(t, {
    http2: true,
    manager: { stream_idle_timeout: '2s' },
    mayGrowMib: 80,
    attack: async ({ port }) => {
      const floods: Attacker[] = await openHttp2Attackers(t, port, attackers);
      for (const { socket } of floods) {
        socket.write(Buffer.concat(ids(150).map(post)));
      }
      const refusedStream = 7;
      await eventually(() => floods.every((one) => framesOf(one, Type.rstStream, refusedStream) === 50), {
        what: 'REFUSED_STREAM for those beyond 100',
      });
      await pause(3000);
    },
  });
  await eventually(async () => (await loggedWith(proxy, 'stream_idle_timeout', 'SI')) === attackers * 100, {
    what: 'all streams are given up',
  });
});

test('a preface and then nothing, or garbage', async (t) => {
  await underAttack(t, {
    http2: true,
    manager: { common_http_protocol_options: { idle_timeout: '1s' } },
    mayGrowMib: 80,
    attack: async ({ port }) => {
      const silent = await openHttp2Attackers(t, port, 200);
      const noisy = await openHttp2Attackers(t, port, 100);
      for (const { socket } of noisy) {
        socket.write(Buffer.alloc(20_000, 0xff));
      }
      await Promise.all([...silent, ...noisy].map(({ ended }) => ended));
    },
  });
});
