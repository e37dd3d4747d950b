import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Logger, silentLogger } from '@weft/base';
import { type TypeUrl, typeUrls } from '@weft/xds-types';
import fc from 'fast-check';
import { type CachedResources, CacheFile, decodeCache, encodeCache } from './cache-file.ts';

const resources: CachedResources = new Map([
  [typeUrls.cluster, [{ name: 'a', version: '1', aliases: [], bytes: Buffer.from('content') }]],
  [typeUrls.virtualHost, [{ name: 'p/a', version: '2', aliases: ['p/b'], bytes: new Uint8Array(0) }]],
]);

function warnings(): { logger: Logger; messages: string[] } {
  const messages: string[] = [];
  const collect = (message: string): void => void messages.push(message);
  const logger: Logger = { ...silentLogger, warn: collect, error: collect, with: () => logger };
  return { logger, messages };
}

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'weft-xds-cache-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const plain = (cached: CachedResources | string | undefined): unknown =>
  typeof cached === 'string' || cached === undefined
    ? cached
    : [...cached].map(([typeUrl, list]) => [typeUrl, list.map((item) => ({ ...item, bytes: [...item.bytes] }))]);

test('what is encoded is decoded', () => {
  const text = fc.string({ maxLength: 40 });
  const item = fc.record({
    name: text,
    version: text,
    aliases: fc.array(text, { maxLength: 2 }),
    bytes: fc.uint8Array(),
  });
  const typeUrl = fc.constantFrom<TypeUrl>(...Object.values(typeUrls));
  fc.assert(
    fc.property(
      fc.array(fc.tuple(typeUrl, fc.array(item, { maxLength: 3 })), { maxLength: 4 }),
      text,
      (entries, node) => {
        const cached = new Map(entries);
        assert.deepEqual(plain(decodeCache(encodeCache(node, cached), node)), plain(cached));
      },
    ),
  );
});

test('a file with any one byte changed, or cut anywhere, is not used', () => {
  const file = encodeCache('n', resources);
  for (let at = 0; at < file.length; at += 1) {
    const changed = Buffer.from(file);
    changed[at] = (changed[at] ?? 0) ^ 0x55;
    assert.equal(typeof decodeCache(changed, 'n'), 'string', `byte ${at}`);
    assert.equal(typeof decodeCache(file.subarray(0, at), 'n'), 'string', `cut at ${at}`);
  }
});

test('the cache of another node is not used', () => {
  assert.match(String(decodeCache(encodeCache('other', resources), 'n')), /belongs to node other/);
});

test('the file is private, replaced as a whole, and read back', async (t) => {
  const path = join(await temporaryFolder(t), 'sub', 'xds.cache');
  const { logger, messages } = warnings();
  const cache = new CacheFile(path, 'n', logger);
  assert.equal(await cache.read(), undefined);
  assert.deepEqual(messages, [], 'none yet is no cause for a warning');
  await cache.write(() => new Map());
  await Promise.all([cache.write(() => new Map()), cache.write(() => resources)]);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.equal((await stat(join(path, '..'))).mode & 0o777, 0o700);
  assert.deepEqual(await readdir(join(path, '..')), ['xds.cache']);
  assert.deepEqual(plain(await cache.read()), plain(resources));
});

test('a corrupt file is ignored with a warning and written anew', async (t) => {
  const path = join(await temporaryFolder(t), 'xds.cache');
  const { logger, messages } = warnings();
  await writeFile(path, 'WEFTXDS1 rubbish');
  const cache = new CacheFile(path, 'n', logger);
  assert.equal(await cache.read(), undefined);
  assert.equal(messages.length, 1);
  await cache.write(() => resources);
  assert.deepEqual(plain(await cache.read()), plain(resources));
});

test('a rest of an interrupted write does not disturb, and a write that fails is logged', async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, 'xds.cache');
  const { logger, messages } = warnings();
  await writeFile(`${path}.new`, 'half', { mode: 0o644 });
  await new CacheFile(path, 'n', logger).write(() => resources);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  await new CacheFile(join(path, 'below-a-file'), 'n', logger).write(() => resources);
  assert.equal(messages.length, 1);
  assert.deepEqual((await readFile(path)).subarray(0, 8).toString(), 'WEFTXDS1');
});
