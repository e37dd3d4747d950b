import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock, Timer } from '@weft/base';
import { TimerWheel, WheelTimer, wheelTickMs } from './timer-wheel.ts';

/** A clock whose timers fire while it is turned. */
class TurnedClock implements Clock {
  nowMs = 5;
  wakes = 0;
  #timers: { at: number; callback: () => void }[] = [];

  now(): number {
    return this.nowMs;
  }

  monotonicMs(): number {
    return this.nowMs;
  }

  setTimeout(callback: () => void, delayMs: number): Timer {
    const entry = { at: this.nowMs + delayMs, callback };
    this.#timers.push(entry);
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((timer) => timer !== entry);
      },
    };
  }

  turn(byMs: number): void {
    const until = this.nowMs + byMs;
    for (;;) {
      const next = this.#timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) {
        break;
      }
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.nowMs = Math.max(this.nowMs, next.at);
      this.wakes += 1;
      next.callback();
    }
    this.nowMs = until;
  }
}

function setUp(): { clock: TurnedClock; wheel: TimerWheel; fired: string[]; timer: (name: string) => WheelTimer } {
  const clock = new TurnedClock();
  const fired: string[] = [];
  const wheel = new TimerWheel(clock, (error) => fired.push(`error ${String(error)}`));
  const timer = (name: string): WheelTimer =>
    new WheelTimer({ onTimer: () => void fired.push(`${name}@${Math.round(clock.nowMs)}`) }, 0);
  return { clock, wheel, fired, timer };
}

test('a timer fires once, at most one tick late and never early', () => {
  const { clock, wheel, fired, timer } = setUp();
  for (const delay of [1, 9, 10, 11, 95, 1000]) {
    const from = clock.nowMs;
    fired.length = 0;
    wheel.arm(timer('t'), from, delay);
    clock.turn(delay - 0.5);
    assert.deepEqual(fired, [], `${delay} early`);
    clock.turn(wheelTickMs + 1);
    assert.equal(fired.length, 1, `${delay} late`);
    clock.turn(60_000);
    assert.equal(fired.length, 1);
  }
});

test('waits longer than one turn of the wheel come at their time', () => {
  const { clock, wheel, fired, timer } = setUp();
  wheel.arm(timer('hour'), clock.nowMs, 3_600_000);
  clock.turn(3_599_990);
  assert.deepEqual(fired, []);
  clock.turn(30);
  assert.equal(fired.length, 1);
  assert.ok(clock.wakes < 500, `${clock.wakes} wake-ups for one timer`);
});

test('arming again moves a timer, to later and to earlier; cancelling stops it', () => {
  const { clock, wheel, fired, timer } = setUp();
  const moved = timer('moved');
  wheel.arm(moved, clock.nowMs, 100);
  wheel.arm(moved, clock.nowMs, 500);
  clock.turn(400);
  assert.deepEqual(fired, []);
  wheel.arm(moved, clock.nowMs, 20);
  clock.turn(40);
  assert.equal(fired.length, 1);
  wheel.arm(moved, clock.nowMs, 50);
  wheel.cancel(moved);
  clock.turn(1000);
  assert.equal(fired.length, 1);
  assert.equal(moved.armed, false);
});

test('what an owner throws is reported and stops no other timer', () => {
  const { clock, wheel, fired, timer } = setUp();
  const bad = new WheelTimer(
    {
      onTimer: () => {
        throw new Error('mine');
      },
    },
    0,
  );
  wheel.arm(bad, clock.nowMs, 20);
  wheel.arm(timer('good'), clock.nowMs, 20);
  clock.turn(50);
  assert.equal(fired.length, 2);
  assert.ok(fired.includes('error Error: mine'));
});

test('a timer may arm and remove others while it fires', () => {
  const { clock, wheel, fired, timer } = setUp();
  const victim = timer('victim');
  const next = timer('next');
  const first = new WheelTimer(
    {
      onTimer: () => {
        wheel.remove(victim);
        wheel.arm(next, clock.nowMs, 30);
      },
    },
    0,
  );
  wheel.arm(first, clock.nowMs, 20);
  wheel.arm(victim, clock.nowMs, 40);
  clock.turn(100);
  assert.equal(fired.length, 1);
  assert.match(fired[0] ?? '', /^next/);
});

test('a timer that hung in a closed wheel works in another one', () => {
  const { clock, wheel, timer, fired } = setUp();
  const moved = timer('moved');
  wheel.arm(moved, clock.nowMs, 100);
  wheel.cancel(moved);
  wheel.close();
  const second = new TimerWheel(clock, () => {});
  second.arm(moved, clock.nowMs, 200);
  clock.turn(300);
  assert.equal(fired.length, 1);
});

test('a far timer armed while another fires does not hold up those between', () => {
  const { clock, wheel, fired, timer } = setUp();
  const far = timer('far');
  const between = timer('between');
  const first = new WheelTimer({ onTimer: () => wheel.arm(far, clock.nowMs, 3000) }, 0);
  wheel.arm(first, clock.nowMs, 20);
  wheel.arm(between, clock.nowMs, 60);
  clock.turn(200);
  assert.equal(fired.length, 1);
  assert.match(fired[0] ?? '', /^between/);
});
