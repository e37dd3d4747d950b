import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '@weft/testkit';
import { loggedWith, openAttackers, pause, underAttack } from './support/under-attack.ts';

const attackers = 300;

test('slow headers: heads that come byte by byte are given up with 408', async (t) => {
  const proxy = await underAttack(t, {
    manager: { request_headers_timeout: '0.5s' },
    mayGrowMib: 40,
    attack: async ({ port }) => {
      const slow = await openAttackers(t, port, attackers);
      for (const { socket } of slow) {
        socket.write('GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ');
      }
      for (let round = 0; round < 15 && slow.some(({ closed }) => !closed); round += 1) {
        for (const { socket, closed } of slow) {
          if (!closed) {
            socket.write('x');
          }
        }
        await pause(100);
      }
      await Promise.all(slow.map(({ ended }) => ended));
      assert.ok(slow.every(({ answer }) => /^HTTP\/1\.1 408 /.test(answer)));
    },
  });
  await eventually(async () => (await loggedWith(proxy, 'request_header_timeout')) === attackers, { what: 'the log' });
});

test('slow bodies: a client that stops in the middle is given up with 408 SI', async (t) => {
  const proxy = await underAttack(t, {
    manager: { stream_idle_timeout: '0.7s' },
    mayGrowMib: 60,
    attack: async ({ port }) => {
      const slow = await openAttackers(t, port, attackers);
      for (const { socket } of slow) {
        socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nbegin');
      }
      await Promise.all(slow.map(({ ended }) => ended));
      assert.ok(slow.every(({ answer }) => /^HTTP\/1\.1 408 /.test(answer)));
    },
  });
  await eventually(async () => (await loggedWith(proxy, 'stream_idle_timeout', 'SI')) === attackers, {
    what: 'the log',
  });
});

test('slow bodies: a client that trickles is given up with 408 where a time for the whole request is set', async (t) => {
  const proxy = await underAttack(t, {
    manager: { request_timeout: '1s' },
    mayGrowMib: 60,
    attack: async ({ port }) => {
      const slow = await openAttackers(t, port, attackers);
      for (const { socket } of slow) {
        socket.write('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
      }
      for (let round = 0; round < 20 && slow.some(({ closed }) => !closed); round += 1) {
        for (const { socket, closed } of slow) {
          if (!closed) {
            socket.write('1\r\nx\r\n');
          }
        }
        await pause(100);
      }
      await Promise.all(slow.map(({ ended }) => ended));
    },
  });
  await eventually(async () => (await loggedWith(proxy, 'request_overall_timeout')) === attackers, { what: 'the log' });
});

test('slow read: a client that takes no answer is given up with SI, and what waits for it is bounded', async (t) => {
  const readers = 100;
  const proxy = await underAttack(t, {
    manager: { stream_idle_timeout: '2s' },
    // A mebibyte each, and what was read before the limit was noticed.
    mayGrowMib: readers * 1.5,
    attack: async ({ port }) => {
      const slow = await openAttackers(t, port, readers);
      for (const { socket } of slow) {
        socket.pause();
        socket.write('GET /big HTTP/1.1\r\nHost: a\r\n\r\n');
      }
      await pause(4000);
    },
  });
  await eventually(async () => (await loggedWith(proxy, 'stream_idle_timeout', 'SI')) === readers, { what: 'the log' });
});

test('slow read without a timeout: the overload manager takes back what clients do not read, with OM', async (t) => {
  const readers = 150;
  const proxy = await underAttack(t, {
    overload: {
      refreshIntervalMs: 100,
      limits: { memoryBytes: 180 * 1024 * 1024 },
      actions: [
        {
          name: 'envoy.overload_actions.reset_high_memory_stream',
          triggers: [{ resource: 'memory', threshold: 0.85, saturation: 0.95 }],
        },
      ],
    },
    mayGrowMib: 250,
    attack: async ({ port }) => {
      const slow = await openAttackers(t, port, readers);
      for (const { socket } of slow) {
        socket.pause();
        socket.write('GET /big HTTP/1.1\r\nHost: a\r\n\r\n');
      }
      await pause(2500);
    },
  });
  await eventually(async () => (await loggedWith(proxy, 'overload', 'OM')) > 0, { what: 'the log' });
  const taken = 'overload.envoy.overload_actions.reset_high_memory_stream.taken_total';
  assert.ok((await proxy.stat(taken)) > 0);
  assert.match(proxy.output(), /overload: an action begins.*reset_high_memory_stream/);
});
