import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { eventually } from '@weft/testkit';
import { openAttackers, pause, underAttack } from './support/under-attack.ts';

/** The certificate is that of a workload: who checks it is not what this is about. */
function tlsClient(port: number, options: { readonly maxVersion?: 'TLSv1.2' } = {}): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connectTls(
      { port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['http/1.1'], ...options },
      () => resolve(socket),
    );
    socket.on('error', reject);
  });
}

async function answers(socket: TLSSocket): Promise<boolean> {
  let text = '';
  socket.on('data', (bytes: Buffer) => {
    text += bytes.toString('latin1');
  });
  socket.write('GET /good HTTP/1.1\r\nHost: a\r\n\r\n');
  return eventually(() => text.startsWith('HTTP/1.1 200 '), { what: 'an answer over TLS' });
}

test('handshake flood: full handshakes as fast as can be, thrown away at once', async (t) => {
  await underAttack(t, {
    mayGrowMib: 150,
    attack: async ({ tlsPort }) => {
      const deadline = performance.now() + 3000;
      let done = 0;
      const flood = async (): Promise<void> => {
        while (performance.now() < deadline) {
          await tlsClient(tlsPort).then(
            (socket) => {
              done += 1;
              socket.destroy();
            },
            () => {},
          );
        }
      };
      await Promise.all(Array.from({ length: 16 }, flood));
      assert.ok(done > 50, `${done} handshakes`);
      const after = await tlsClient(tlsPort);
      assert.ok(await answers(after));
      after.destroy();
    },
  });
});

test('half handshakes: those that never go on make room for those that come', async (t) => {
  const proxy = await underAttack(t, {
    mayGrowMib: 150,
    attack: async ({ tlsPort }) => {
      // Nothing at all; a record's first bytes; and a complete ClientHello whose client goes silent.
      const silent = await openAttackers(t, tlsPort, 700);
      const begun = await openAttackers(t, tlsPort, 700);
      for (const { socket } of begun) {
        socket.write(Buffer.from('160301', 'hex'));
      }
      const hello = await clientHello();
      const hanging = await openAttackers(t, tlsPort, 700);
      for (const { socket } of hanging) {
        socket.write(hello);
      }
      for (let round = 0; round < 10; round += 1) {
        const client = await tlsClient(tlsPort);
        assert.ok(await answers(client));
        client.destroy();
        await pause(50);
      }
      assert.ok(silent.filter(({ closed }) => closed).length > 600, 'the oldest went first');
    },
  });
  assert.ok((await proxy.stat('process_open_fds')) < 2000);
});

test('TLS 1.2 renegotiation by the client is refused', async (t) => {
  await underAttack(t, {
    mayGrowMib: 80,
    attack: async ({ tlsPort }) => {
      const outcomes: string[] = [];
      for (let round = 0; round < 20; round += 1) {
        const socket = await tlsClient(tlsPort, { maxVersion: 'TLSv1.2' });
        socket.on('error', () => {});
        outcomes.push(
          await new Promise<string>((resolve) => {
            socket.once('close', () => resolve('closed'));
            const begun = socket.renegotiate({ rejectUnauthorized: false }, (error) =>
              resolve(error === null ? 'renegotiated' : 'refused'),
            );
            if (begun === false) {
              resolve('refused');
            }
          }),
        );
        socket.destroy();
      }
      assert.ok(!outcomes.includes('renegotiated'), outcomes.join());
    },
  });
});

/** The first flight of Node's own client. */
async function clientHello(): Promise<Buffer> {
  const { createServer } = await import('node:net');
  return new Promise((resolve) => {
    const server = createServer((socket) => {
      socket.once('data', (bytes) => {
        socket.destroy();
        server.close();
        resolve(bytes);
      });
    });
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false }).on('error', () => {});
    });
  });
}
