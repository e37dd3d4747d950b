import assert from 'node:assert/strict';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { adminPaths } from '@weft/admin-api';
import { silentLogger } from '@weft/base';
import { createAdminMount } from '../src/admin/mount.ts';
import { startFixture } from './fixture.ts';

test('a preview whose client goes away is told so', async (t) => {
  const { ca, tokens } = await startFixture(t);
  const asked = Promise.withResolvers<string>();
  const ended = Promise.withResolvers<void>();
  const mount = createAdminMount({
    routes: { handle: () => Promise.resolve(false) },
    tokens,
    ca,
    pageLogin: () => undefined,
    // One that takes as long as somebody waits for it.
    previews: {
      run: (body, signal) => {
        asked.resolve(Buffer.from(body).toString('utf8'));
        signal.addEventListener('abort', () => ended.resolve());
        return ended.promise.then(() => signal.throwIfAborted()).then(() => new Uint8Array());
      },
    },
    logger: silentLogger,
  });
  const server = createServer((incoming, response) => {
    void mount.handle({
      request: incoming,
      response,
      url: new URL(incoming.url ?? '/', 'http://localhost'),
      user: { username: 'ada', groups: [] },
      authorize: () => ({ allowed: true, reason: '' }),
      readBody: async () => Buffer.concat(await incoming.toArray()),
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const sent = request({ host: '127.0.0.1', port, path: adminPaths.preview, method: 'POST' }).on('error', () => {});
  sent.end('{"objects":[]}');
  assert.equal(await asked.promise, '{"objects":[]}');
  sent.destroy();
  await ended.promise;
});
