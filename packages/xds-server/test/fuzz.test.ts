import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '@weft/testkit';
import { typeUrls } from '@weft/xds-types';
import { opaque, type SentResponse, StreamFixture } from './stream-fixture.ts';

/**
 * Random clients that keep no rule of the protocol, against random snapshots. Nothing may throw, at most one response of a type is
 * unanswered, and a client that begins to answer ends with exactly what its snapshot holds of what it asks for.
 */
const types = [...Object.values(typeUrls), 'type.googleapis.com/example.Unknown'];
const names = ['*', 'a', 'b', 'c', 'd', '', '__proto__', 'constructor', 'a/b'];
const steps = 120;

for (let seed = 1; seed <= 60; seed += 1) {
  const variant = seed % 2 === 0 ? 'sotw' : 'delta';
  test(`any sequence of ${variant} requests is survived (seed ${seed})`, async () => {
    const random = seededRandom(seed);
    const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
    const some = <T>(list: readonly T[]): T[] => list.filter(() => random() < 0.25);
    const fixture = new StreamFixture({
      variant,
      maxResponseBytes: random() < 0.3 ? 40 : 1_000_000,
      onSubscribe: () =>
        random() < 0.5 ? undefined : random() < 0.5 ? Promise.resolve() : Promise.reject(new Error('away')),
    });
    const seen: SentResponse[] = [];
    for (let step = 0; step < steps; step += 1) {
      const dice = random();
      if (dice < 0.15) {
        const resources = Object.values(typeUrls).flatMap((typeUrl) =>
          some(['a', 'b', 'c', 'd', '__proto__']).map((name) =>
            opaque(typeUrl, name, pick(['', 'x', 'y']), random() < 0.1 ? { ttlMs: 1_000 } : {}),
          ),
        );
        fixture.set(...resources);
      } else if (dice < 0.2) {
        fixture.clock.advance(random() * 6_000);
      } else {
        const nonce = random() < 0.6 ? (seen.at(-1 - Math.floor(random() * 3))?.nonce ?? '') : pick(['', 'bogus']);
        const error =
          random() < 0.15 ? { code: 3, message: pick(['a: bad', 'all is bad', '']), details: [] } : undefined;
        const common = { responseNonce: nonce, errorDetail: error };
        if (variant === 'sotw') {
          fixture.sotw(pick(types), { ...common, resourceNames: some(names), versionInfo: pick(['', 'v']) });
        } else {
          fixture.delta(pick(types), {
            ...common,
            resourceNamesSubscribe: some(names),
            resourceNamesUnsubscribe: some(names),
            initialResourceVersions: random() < 0.2 ? Object.fromEntries(some(names).map((name) => [name, 'v'])) : {},
          });
        }
      }
      assert.equal(fixture.ended, undefined);
      if (random() < 0.7) {
        seen.push(...(await fixture.take()));
        checkInFlight(fixture);
      }
    }
    await settle(fixture, variant);
    checkConverged(fixture);
    fixture.stream.close();
    fixture.clock.advance(60_000); // Lookups have a timer of their own, which ends by itself.
    assert.equal(fixture.clock.pendingTimers, 0);
    assert.deepEqual(fixture.sent, []);
  });
}

function checkInFlight(fixture: StreamFixture): void {
  for (const state of fixture.stream.types.values()) {
    assert.ok(state.inFlight === undefined || state.inFlight.nonce === state.nonce);
  }
}

/** From now on the client answers everything, and waits where the server waits. */
async function settle(fixture: StreamFixture, variant: 'sotw' | 'delta'): Promise<void> {
  await fixture.take();
  for (let round = 0; round < 200; round += 1) {
    const open = [...fixture.stream.types.values()].filter((state) => state.inFlight !== undefined);
    for (const state of open) {
      const fields = { responseNonce: state.nonce };
      if (variant === 'sotw') {
        const star = state.subscription.wildcard ? ['*'] : [];
        fixture.sotw(state.typeUrl, { ...fields, resourceNames: [...star, ...state.subscription.names] });
      } else {
        fixture.delta(state.typeUrl, fields);
      }
    }
    await fixture.take();
    if (open.length === 0) {
      return;
    }
  }
  assert.fail('the stream does not come to rest');
}

function checkConverged(fixture: StreamFixture): void {
  if (fixture.stream.snapshot === undefined) {
    return;
  }
  for (const state of fixture.stream.types.values()) {
    if (state.refused.size > 0) {
      continue;
    }
    const wanted = new Map(state.wantedResources().map(({ name, version }) => [name, version]));
    const held = new Map([...state.held].map(([name, { version }]) => [name, version]));
    assert.deepEqual(held, wanted, state.typeUrl);
  }
}
