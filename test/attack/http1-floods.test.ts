import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { test } from 'node:test';
import { eventually } from '@weft/testkit';
import { loggedWith, openAttacker, openAttackers, pause, underAttack } from './support/under-attack.ts';

const ok = /^HTTP\/1\.1 200 /;

test('header bomb, size: a head without end is refused with 431 as soon as it is too long', async (t) => {
  const attackers = 100;
  const proxy = await underAttack(t, {
    mayGrowMib: 60,
    attack: async ({ port }) => {
      const bombs = await openAttackers(t, port, attackers);
      const piece = `X-Bomb: ${'b'.repeat(4000)}\r\n`;
      for (const { socket } of bombs) {
        socket.write('GET / HTTP/1.1\r\nHost: a\r\n');
      }
      for (let round = 0; round < 40; round += 1) {
        for (const { socket, closed } of bombs) {
          if (!closed) {
            socket.write(piece);
          }
        }
        await pause(5);
      }
      await Promise.all(bombs.map(({ ended }) => ended));
      assert.ok(bombs.every(({ answer }) => answer === '' || /^HTTP\/1\.1 431 /.test(answer)));
    },
  });
  await eventually(async () => (await loggedWith(proxy, 'http1.headers_too_large', 'DPE')) === attackers, {
    what: 'the log',
  });
});

test('header bomb, count: a thousand small fields are refused with 431', async (t) => {
  const attackers = 500;
  const head = `GET / HTTP/1.1\r\nHost: a\r\n${'a: b\r\n'.repeat(1000)}\r\n`;
  const proxy = await underAttack(t, {
    mayGrowMib: 60,
    attack: async ({ port }) => {
      const bombs = await openAttackers(t, port, attackers);
      for (const { socket } of bombs) {
        socket.write(head);
      }
      await Promise.all(bombs.map(({ ended }) => ended));
    },
  });
  await eventually(async () => (await loggedWith(proxy, 'http1.too_many_headers', 'DPE')) === attackers, {
    what: 'the log',
  });
});

test('pipelining flood: requests sent ahead wait as bytes, up to a limit; answers that nobody reads are bounded', async (t) => {
  const attackers = 40;
  const flood = Buffer.from('GET /good HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(20_000));
  await underAttack(t, {
    // Each holds its answers up to the buffer limit of 1 MiB and 256 KiB of requests, and what they were read into and copied from is
    // collected later: 136 MiB after 3 s as after 9 s.
    mayGrowMib: 160,
    attack: async ({ port }) => {
      const pipes = await openAttackers(t, port, attackers);
      for (const { socket } of pipes) {
        socket.pause();
        socket.write(flood);
      }
      await pause(3000);
    },
  });
});

test('chunk-extension flood: refused with 400', async (t) => {
  const attackers = 100;
  const flood = `1;${'e'.repeat(500)}\r\nx\r\n`.repeat(100);
  const proxy = await underAttack(t, {
    mayGrowMib: 60,
    attack: async ({ port }) => {
      const floods = await openAttackers(t, port, attackers);
      for (const { socket } of floods) {
        socket.write(`POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${flood}`);
      }
      await Promise.all(floods.map(({ ended }) => ended));
    },
  });
  await eventually(async () => (await loggedWith(proxy, 'http1.chunk_line_too_long', 'DPE')) === attackers, {
    what: 'the log',
  });
});

test('10,000 idle connections cost little, and nobody else is kept out', async (t) => {
  const limits = readFileSync('/proc/self/limits', 'utf8');
  const descriptors = Number(/Max open files\s+(\d+)/.exec(limits)?.[1]);
  const count = Math.min(10_000, Math.floor(descriptors * 0.7));
  if (count < 10_000) {
    t.diagnostic(`RLIMIT_NOFILE is ${descriptors}: only ${count} connections instead of 10,000`);
  }
  const kib = 1024;
  let before = 0;
  await underAttack(t, {
    mayGrowMib: 450,
    attack: async (proxy) => {
      before = await proxy.residentBytes();
      const idle = await openAttackers(t, proxy.port, count / 2);
      const used = await openAttackers(t, proxy.port, count / 2);
      // Not all at once: that would be another attack, of which the overload manager would refuse a part.
      for (let from = 0; from < used.length; from += 250) {
        const batch = used.slice(from, from + 250);
        for (const { socket } of batch) {
          socket.write('GET /good HTTP/1.1\r\nHost: a\r\n\r\n');
        }
        await eventually(() => batch.every(({ answer }) => answer !== ''), { what: 'answers', timeoutMs: 20_000 });
      }
      const refused = used.filter(({ answer }) => !ok.test(answer));
      assert.equal(
        refused.length,
        0,
        `${refused.length} of ${used.length}: ${refused[0]?.answer.slice(0, 300)} ${proxy.output()}`,
      );
      const each = ((await proxy.residentBytes()) - before) / count;
      t.diagnostic(`${Math.round(each / kib)} KiB a connection`);
      await pause(1500);
      assert.ok([...idle, ...used].every(({ closed }) => !closed));
      const [last] = used;
      assert.ok(last !== undefined);
      last.answer = '';
      last.socket.write('GET /good HTTP/1.1\r\nHost: a\r\n\r\n');
      await eventually(() => ok.test(last.answer), { what: 'an answer on a connection that was idle' });
    },
  });
});

test('too many connections: those beyond the limit are closed, idle ones make room, and requests go on', async (t) => {
  const limit = 400;
  const proxy = await underAttack(t, {
    overload: { refreshIntervalMs: 50, limits: { downstreamConnections: limit } },
    manager: { common_http_protocol_options: { idle_timeout: '5s' } },
    mayGrowMib: 60,
    attack: async ({ port }) => {
      for (let round = 0; round < 8; round += 1) {
        await openAttackers(t, port, 60);
        await pause(300);
      }
      await pause(1000);
    },
  });
  const taken = 'overload.envoy.overload_actions.reduce_timeouts.taken_total';
  assert.ok((await proxy.stat(taken)) > 0, 'idle connections were closed early');
  assert.match(proxy.output(), /overload: an action begins.*reduce_timeouts/);
});

test('connections opened and closed as fast as can be leave nothing behind', async (t) => {
  const kinds = [
    '',
    'GET',
    'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc',
  ];
  const proxy = await underAttack(t, {
    mayGrowMib: 80,
    attack: async ({ port }) => {
      const deadline = performance.now() + 3000;
      let opened = 0;
      const churn = async (worker: number): Promise<void> => {
        while (performance.now() < deadline) {
          await new Promise<void>((resolve) => {
            const socket = connect({ port, host: '127.0.0.1' }, () => {
              const bytes = kinds[opened % kinds.length] ?? '';
              opened += 1;
              if (bytes !== '') {
                socket.write(bytes);
              }
              // An abrupt end (RST) by turns with an orderly one.
              if ((opened + worker) % 2 === 0) {
                socket.resetAndDestroy();
              } else {
                socket.end(() => socket.destroy());
              }
            });
            socket.on('error', () => {});
            socket.on('close', () => resolve());
          });
        }
      };
      await Promise.all(Array.from({ length: 20 }, (_, worker) => churn(worker)));
      assert.ok(opened > 500, `${opened} connections`);
      const after = await openAttacker(port);
      after.socket.write('GET /good HTTP/1.1\r\nHost: a\r\n\r\n');
      await eventually(() => ok.test(after.answer), { what: 'an answer afterwards' });
      after.socket.destroy();
    },
  });
  await eventually(
    async () =>
      (await proxy.stat('cluster.origin.upstream_rq_active')) === 0 &&
      (await proxy.stat('cluster.origin.upstream_rq_pending_active')) === 0,
    { what: 'no request under way' },
  );
});
