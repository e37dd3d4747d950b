import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RateHistory, samplesKept, sparkPoints } from './history.ts';
import { ageText, mtlsText, portText, proxyState, successText } from './text.ts';

test('a success rate is rounded down: only without a failure it says 100 %', () => {
  const of = (successRate: number | null) =>
    successText({ requestsPerSecond: 1, errorsPerSecond: 0, successRate, requests: 1, errors: 0 });
  assert.deepEqual(of(1), { text: '100.0 %', tone: 'good' });
  assert.deepEqual(of(0.99999), { text: '99.9 %', tone: 'good' });
  assert.equal(of(0.97).tone, 'warn');
  assert.equal(of(0.5).tone, 'bad');
  assert.equal(of(null).text, '–');
});

test('a port says what was seen only where something should be declared', () => {
  const port = { name: '', port: 7000, declared: false, seen: [{ protocol: 'tcp', count: 1, lastSeen: '' }] } as const;
  assert.equal(portText({ ...port, protocol: 'tcp' }), '7000/tcp');
  const advice = { kind: 'undeclared', message: '', fix: '' } as const;
  assert.equal(portText({ ...port, protocol: 'auto', advice }), '7000/auto (seen: tcp)');
});

test('mutual TLS is good only where every instance has it, strictly', () => {
  assert.deepEqual(mtlsText({ mode: 'strict', secured: 2, instances: 2 }), { text: 'strict', tone: 'good' });
  assert.deepEqual(mtlsText({ mode: 'strict', secured: 1, instances: 2 }), { text: 'strict, 1 of 2', tone: 'warn' });
  assert.equal(mtlsText({ mode: undefined, secured: 0, instances: 1 }).text, 'none');
});

test('a proxy that is away says since when', () => {
  const proxy = {
    namespace: 'default',
    name: 'a',
    identity: 'spiffe://cluster.local/ns/default/sa/a',
    engine: 'weft',
    version: '0.1.0',
    connected: false,
    lastSeen: '2026-01-01T00:00:00Z',
    sync: [],
    state: 'NOT_SENT',
  } as const;
  assert.equal(proxyState(proxy, Date.parse('2026-01-01T00:05:00Z')).text, 'away for 5 min');
  assert.equal(proxyState({ ...proxy, connected: true, state: 'SYNCED' }, 0).tone, 'good');
});

test('ages are told in the unit that fits', () => {
  assert.deepEqual([1_000, 119_000, 600_000, 10_000_000].map(ageText), ['1 s', '119 s', '10 min', '3 h']);
});

test('the history keeps as many samples as the line shows', () => {
  const history = new RateHistory();
  let samples: readonly number[] = [];
  for (let i = 0; i < samplesKept + 5; i += 1) {
    samples = history.add('a', i);
  }
  assert.equal(samples.length, samplesKept);
  assert.equal(samples.at(-1), samplesKept + 4);
  assert.match(sparkPoints([0, 1], 100, 20), /^99\.2,19\.0 100\.0,4\.6$/);
});
