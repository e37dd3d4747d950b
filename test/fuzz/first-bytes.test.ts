import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FirstBytes, type InspectionPlan } from '../../packages/proxy/src/listener/first-bytes.ts';
import { pieces } from '../conformance/http1/codec-feed.ts';
import { fuzz, mutateBytes, pick } from './fuzz-run.ts';

interface Beginning {
  readonly plan: number;
  readonly bytes: Buffer;
  readonly cuts: readonly number[];
}

const plans: readonly InspectionPlan[] = [
  { proxyProtocol: undefined, tls: true, http: false },
  { proxyProtocol: undefined, tls: true, http: true },
  { proxyProtocol: undefined, tls: false, http: true },
];

/** What an inspector says of bytes that come in these pieces, and then no more. */
function inspect(plan: InspectionPlan, parts: readonly Buffer[]) {
  const first = new FirstBytes(plan);
  const fed: Buffer[] = [];
  let verdict: string = 'need-more';
  for (const part of parts) {
    if (verdict === 'need-more') {
      verdict = first.add(part);
    } else if (verdict === 'done') {
      first.rest = Buffer.concat([first.rest, part]);
    }
    fed.push(part);
  }
  if (verdict === 'need-more') {
    first.giveUp();
  }
  if (verdict !== 'refused') {
    assert.deepEqual(first.rest, Buffer.concat(fed), 'what the client sent is what the filter gets');
  }
  assert.match(first.serverName, /^[\x21-\x7e]*$/);
  assert.equal(first.serverName, first.serverName.toLowerCase());
  const { serverName, applicationProtocols, transportProtocol, detected, fault } = first;
  return { verdict, serverName, applicationProtocols, transportProtocol, detected, fault };
}

test('SNI and HTTP inspectors: no input throws, pieces are read as the whole, no byte is lost', async (t) => {
  const cases = await fuzz<Beginning>({
    corpus: 'first-bytes.txt',
    read: (line) => {
      const [plan = '0', hex = '', ...cuts] = line.split('\t');
      return { plan: Number(plan), bytes: Buffer.from(hex, 'hex'), cuts: cuts.map(Number) };
    },
    write: ({ plan, bytes, cuts }) => [plan, bytes.toString('hex'), ...cuts].join('\t'),
    make: (random, corpus) => {
      const origin = pick(random, corpus);
      const others = corpus.map(({ bytes }) => bytes);
      const bytes = random() < 0.1 ? origin.bytes : mutateBytes(random, origin.bytes, others);
      const cuts = Array.from({ length: Math.floor(random() * 8) }, () => Math.floor(random() * bytes.length));
      return { plan: Math.floor(random() * plans.length), bytes, cuts: cuts.sort((a, b) => a - b) };
    },
    check: ({ plan, bytes, cuts }) => {
      const chosen = plans[plan] ?? plans[0];
      assert.ok(chosen !== undefined);
      const whole = inspect(chosen, [bytes]);
      assert.deepEqual(inspect(chosen, pieces(bytes, cuts)), whole, 'pieces are not read as the whole');
      return whole.detected === 'tls' ? 'tls' : whole.verdict;
    },
    expected: { tls: 0.05, done: 0.05, 'need-more': 0.02, refused: 0.02 },
  });
  t.diagnostic(`${cases} cases`);
});
