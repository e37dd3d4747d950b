import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ResponseThrottle } from './response-throttle.ts';

function throttled(bytesPerSecond: number): {
  readonly throttle: ResponseThrottle;
  readonly sent: string[];
  readonly events: string[];
} {
  const sent: string[] = [];
  const events: string[] = [];
  const throttle = new ResponseThrottle(bytesPerSecond, {
    send: (bytes, start, end) => sent.push(bytes.toString('latin1', start, end)),
    sendEnd: () => events.push('end'),
    armTick: () => events.push('arm'),
    pauseReading: (pause) => events.push(pause ? 'pause' : 'resume'),
  });
  return { throttle, sent, events };
}

test('a portion goes out at once, the rest with each tick, the end behind it', () => {
  const { throttle, sent, events } = throttled(100);
  throttle.onData(Buffer.from('0123456789ab'), 0, 12);
  throttle.onEnd(undefined);
  assert.deepEqual(sent, ['01234']);
  assert.deepEqual(events, ['arm']);
  throttle.onTick();
  throttle.onTick();
  assert.equal(sent.join(''), '0123456789ab');
  assert.equal(events.at(-1), 'end');
});

test('what waits is bounded: the upstream is not read any further', () => {
  const { throttle, events } = throttled(1024 * 1024);
  throttle.onData(Buffer.alloc(200 * 1024), 0, 200 * 1024);
  assert.deepEqual(events, ['pause', 'arm']);
  while (!events.includes('resume') && throttle.waitingBytes > 0) {
    throttle.onTick();
  }
  assert.ok(throttle.waitingBytes > 0 && throttle.waitingBytes <= 64 * 1024, String(throttle.waitingBytes));
});

test('a response without a body ends at once', () => {
  const { throttle, events } = throttled(1);
  throttle.onEnd(undefined);
  assert.deepEqual(events, ['end']);
});

test('a response ends once, although a tick comes behind its end', () => {
  const { throttle, events } = throttled(100);
  throttle.onData(Buffer.from('012'), 0, 3);
  throttle.onEnd(undefined);
  assert.deepEqual(events, ['arm', 'end']);
  throttle.onTick();
  throttle.onTick();
  assert.deepEqual(events, ['arm', 'end']);
});
