import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '@weft/testkit';
import type { BindAddress } from '../runtime-config/config.ts';
import type { Connection } from '../transport/connection.ts';
import type { ConnectCallbacks } from '../transport/raw-connection.ts';
import { TimerWheel } from '../transport/timer-wheel.ts';
import { alternated, attemptDelayMs, ConnectRace } from './connect-race.ts';

const at = (address: string): BindAddress => ({ kind: 'ip', address, port: 80 });
const texts = (addresses: readonly BindAddress[]): string[] =>
  addresses.map((address) => (address.kind === 'ip' ? address.address : address.path));
const connection = {} as Connection;

function race(...addresses: string[]) {
  const clock = new ManualClock();
  const attempts = new Map<string, ConnectCallbacks>();
  const abandoned: string[] = [];
  const ends: string[] = [];
  const started = new ConnectRace(
    { wheel: new TimerWheel(clock, assert.ifError), clock },
    addresses.map(at),
    (address, callbacks) => {
      const [name = ''] = texts([address]);
      attempts.set(name, callbacks);
      return { abandon: () => void abandoned.push(name) };
    },
    { onConnected: () => void ends.push('connected'), onFailed: (error) => void ends.push(error.message) },
  );
  started.start();
  return { clock, attempts, abandoned, ends, started };
}

test('both families by turns, that of the first address first', () => {
  assert.deepEqual(texts(alternated(['::1', '::2', '10.0.0.1', '::3', '10.0.0.2'].map(at))), [
    '::1',
    '10.0.0.1',
    '::2',
    '10.0.0.2',
    '::3',
  ]);
  assert.deepEqual(texts(alternated(['10.0.0.1', '10.0.0.2', '::1'].map(at))), ['10.0.0.1', '::1', '10.0.0.2']);
});

test('the next attempt begins after a while beside the first, and the one that connects ends the others', () => {
  const { clock, attempts, abandoned, ends } = race('::1', '10.0.0.1', '10.0.0.2');
  assert.deepEqual([...attempts.keys()], ['::1']);
  clock.advance(attemptDelayMs + 20);
  assert.deepEqual([...attempts.keys()], ['::1', '10.0.0.1']);
  attempts.get('10.0.0.1')?.onConnected(connection);
  clock.advance(10 * attemptDelayMs);
  assert.deepEqual(ends, ['connected']);
  assert.deepEqual(abandoned, ['::1']);
  assert.equal(attempts.size, 2);
});

test('a failure begins the next attempt at once; the last one that fails is told', () => {
  const { attempts, ends } = race('::1', '10.0.0.1');
  attempts.get('::1')?.onFailed(new Error('first'));
  assert.deepEqual([...attempts.keys()], ['::1', '10.0.0.1']);
  assert.deepEqual(ends, []);
  attempts.get('10.0.0.1')?.onFailed(new Error('second'));
  assert.deepEqual(ends, ['second']);
});

test('a race that is given up gives up every attempt', () => {
  const { clock, attempts, abandoned, ends, started } = race('::1', '10.0.0.1', '10.0.0.2');
  clock.advance(attemptDelayMs + 20);
  started.abandon();
  clock.advance(10 * attemptDelayMs);
  assert.deepEqual(abandoned, ['::1', '10.0.0.1']);
  assert.equal(attempts.size, 2);
  assert.deepEqual(ends, []);
});
