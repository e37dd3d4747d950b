import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TcpTraffic, Traffic } from './traffic.ts';
import { outcomeOf, rateText } from './traffic-text.ts';

function traffic(requests: number, tcp?: Partial<TcpTraffic>): Traffic {
  const zero = { connectionsPerSecond: 0, bytesPerSecond: 0, connections: 0, failed: 0, open: 0 };
  return {
    requestsPerSecond: requests / 10,
    errorsPerSecond: 0,
    successRate: requests === 0 ? null : 0.9999,
    requests,
    errors: 0,
    ...(tcp === undefined ? {} : { tcp: { ...zero, ...tcp } }),
  };
}

test('requests are told by the second, TCP by its bytes or else by its connections, both where both are carried', () => {
  assert.equal(rateText(traffic(23)), '2.3/s');
  assert.equal(rateText(traffic(0, { bytesPerSecond: 999 })), '999 B/s');
  assert.equal(rateText(traffic(0, { bytesPerSecond: 1_240 })), '1.2 kB/s');
  assert.equal(rateText(traffic(0, { bytesPerSecond: 56_400_000 })), '56 MB/s');
  assert.equal(rateText(traffic(0, { bytesPerSecond: 2_500_000_000 })), '2.5 GB/s');
  assert.equal(rateText(traffic(0, { connectionsPerSecond: 0.5 })), '0.5 conn/s');
  assert.equal(rateText(traffic(40, { bytesPerSecond: 1_000 })), '4.0/s + 1.0 kB/s');
});

test('the outcome is the share of successes, rounded down; TCP that did not fail has open connections instead', () => {
  assert.deepEqual(outcomeOf(traffic(10), '-'), { text: '99.9 %', share: 0.9999 });
  assert.deepEqual(outcomeOf(traffic(0), '-'), { text: '-', share: null });
  assert.deepEqual(outcomeOf(traffic(0, { open: 2 }), '-'), { text: '2 open', share: null });
  assert.deepEqual(outcomeOf(traffic(0, { open: 2, connections: 1, failed: 1 }), '-'), { text: '50.0 %', share: 0.5 });
});
