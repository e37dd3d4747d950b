import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '@weft/testkit';
import { FirstBytes, type InspectionPlan } from '../../packages/proxy/src/listener/first-bytes.ts';
import { writeHeaderV1 } from '../../packages/proxy/src/proxy-protocol/header-v1.ts';
import { writeHeaderV2 } from '../../packages/proxy/src/proxy-protocol/header-v2.ts';
import { readProxyHeader } from '../../packages/proxy/src/proxy-protocol/read-header.ts';
import { fuzz, mutateBytes, pick, type Random } from './fuzz-run.ts';

/** Everything that reads a client's first bytes: PROXY protocol header, ClientHello, HTTP sniffer, and the three in a row. */

/** Most that any of them may ask for before it decides, bytes. */
const mostWaitedFor = 32 * 1024;

const plans: readonly InspectionPlan[] = [
  { proxyProtocol: undefined, tls: true, http: true },
  { proxyProtocol: undefined, tls: false, http: true },
  { proxyProtocol: { allowWithoutHeader: false, refusedVersions: [] }, tls: true, http: true },
  { proxyProtocol: { allowWithoutHeader: true, refusedVersions: [1] }, tls: true, http: false },
];

interface Outcome {
  readonly verdict: string;
  readonly fault: string;
  readonly detected: string | undefined;
  readonly serverName: string;
  readonly protocols: readonly string[];
  readonly proxied: unknown;
  readonly rest: Buffer;
}

/** Reads `bytes` in pieces; what comes after the decision belongs to the filter. */
function outcome(plan: InspectionPlan, bytes: Buffer, cuts: readonly number[]): Outcome {
  const first = new FirstBytes(plan);
  let verdict = 'need-more';
  let from = 0;
  const after: Buffer[] = [];
  for (const to of [...cuts, bytes.length]) {
    const piece = bytes.subarray(from, to);
    from = to;
    if (verdict !== 'need-more') {
      after.push(piece);
    } else if (piece.length > 0) {
      verdict = first.add(piece);
    }
  }
  return {
    verdict,
    fault: first.fault,
    detected: verdict === 'done' ? first.detected : undefined,
    serverName: first.serverName,
    protocols: first.applicationProtocols,
    proxied: first.proxied,
    rest: Buffer.concat([first.rest, ...after]),
  };
}

/** No throw; pieces are read as the whole; no byte is lost or doubled; nobody is waited for longer than the limit. */
function check(bytes: Buffer): string {
  const random = seededRandom(bytes.length);
  const verdicts = plans.map((plan) => {
    const whole = outcome(plan, bytes, []);
    const cuts = Array.from({ length: 6 }, () => Math.floor(random() * bytes.length)).sort((a, b) => a - b);
    const byBytes = Array.from({ length: Math.min(bytes.length, 300) }, (_, index) => index);
    assert.deepEqual(outcome(plan, bytes, cuts), whole);
    assert.deepEqual(outcome(plan, bytes, byBytes), whole);
    const dropped = bytes.length - whole.rest.length;
    assert.ok(bytes.subarray(dropped).equals(whole.rest), 'the rest is changed');
    const header = plan.proxyProtocol === undefined ? undefined : readProxyHeader(bytes);
    // A header that is taken goes, whatever is wrong with what follows; one that is refused stays, and so does everything else.
    const taken = header?.kind === 'header' && !plan.proxyProtocol?.refusedVersions.includes(header.version);
    assert.equal(dropped, taken ? header.length : 0);
    assert.ok(whole.verdict !== 'need-more' || bytes.length < mostWaitedFor, 'still waiting');
    return whole.verdict;
  });
  checkHeader(bytes);
  return verdicts[2] ?? '';
}

/** An accepted header, written again, says the same. */
function checkHeader(bytes: Buffer): void {
  const reading = readProxyHeader(bytes);
  if (reading.kind === 'header' && reading.proxied !== undefined) {
    for (const write of [writeHeaderV1, writeHeaderV2]) {
      const again = readProxyHeader(write(reading.proxied));
      assert.deepEqual(again.kind === 'header' && again.proxied, reading.proxied);
    }
  }
}

function make(random: Random, corpus: readonly Buffer[]): Buffer {
  const base = pick(random, corpus);
  const mutated = random() < 0.2 ? base : mutateBytes(random, base, corpus);
  return random() < 0.3 ? Buffer.concat([mutated, pick(random, corpus)]) : mutated;
}

test('the first bytes of a connection are read alike in any pieces, and reach the filter unchanged', async () => {
  const cases = await fuzz({
    corpus: 'first-bytes.txt',
    read: (line) => Buffer.from(line, 'hex'),
    write: (bytes) => bytes.toString('hex'),
    make,
    check,
    expected: { 'need-more': 0.02, done: 0.02, refused: 0.2 },
  });
  assert.ok(cases > 0);
});
