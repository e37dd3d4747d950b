import assert from 'node:assert/strict';
import { test } from 'node:test';
import { typeUrls } from '@weft/xds-types';
import { opaque, StreamFixture } from './stream-fixture.ts';

const { cluster: cds, endpoint: eds } = typeUrls;
const many = (count: number): string[] => Array.from({ length: count }, (_, index) => `n${index}`);

test('more names than the limit end the stream, in one request or in many', () => {
  const one = new StreamFixture();
  one.subscribe(eds, ...many(101));
  assert.match(one.ended ?? '', /more than 100 names/);
  const two = new StreamFixture();
  two.subscribe(eds, ...many(60));
  two.subscribe(eds, ...many(120).slice(60));
  assert.match(two.ended ?? '', /more than 100 names/);
  const sotw = new StreamFixture({ variant: 'sotw' });
  sotw.sotw(eds, { resourceNames: many(101) });
  assert.match(sotw.ended ?? '', /more than 100 names/);
});

test('initial versions count as names', () => {
  const fixture = new StreamFixture();
  fixture.delta(cds, { initialResourceVersions: Object.fromEntries(many(101).map((name) => [name, 'v'])) });
  assert.match(fixture.ended ?? '', /more than 100 names/);
});

test('a name or version longer than the limit ends the stream', () => {
  const name = new StreamFixture();
  name.subscribe(eds, 'x'.repeat(65));
  assert.match(name.ended ?? '', /longer than 64/);
  const version = new StreamFixture();
  version.delta(cds, { initialResourceVersions: { a: 'x'.repeat(65) } });
  assert.match(version.ended ?? '', /longer than 64/);
});

test('a long error message of a NACK is cut', async () => {
  const fixture = new StreamFixture();
  fixture.set(opaque(cds, 'a'));
  fixture.subscribe(cds);
  const [response] = await fixture.take();
  if (response !== undefined) {
    fixture.nack(response, `a: ${'x'.repeat(100_000)}`);
  }
  assert.equal(fixture.nacks[0]?.message.length, 8 * 1024);
});

test('however often the snapshot changes, a client that does not answer has one response of a type', async () => {
  const fixture = new StreamFixture();
  fixture.subscribe(cds);
  for (let version = 0; version < 1_000; version += 1) {
    fixture.set(opaque(cds, 'a', `${version}`));
    await Promise.resolve();
  }
  assert.equal((await fixture.take()).length, 1);
  assert.equal(fixture.clock.pendingTimers, 1);
  fixture.stream.close();
  assert.equal(fixture.clock.pendingTimers, 0);
});
