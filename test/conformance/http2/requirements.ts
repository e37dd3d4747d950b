import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { conformanceFolder, skipWithout } from '../http1/conformance-data.ts';
import { type Expectation, judge } from './judge.ts';
import type { Http2Peer } from './peer.ts';
import { stimuli } from './rows.ts';

interface Requirement {
  readonly id: string;
  readonly level: 'MUST' | 'SHOULD';
  readonly stimulus: string;
  readonly expect: Expectation;
}

const folder = conformanceFolder('http2');

/** Rows in the data, and checks in them: 95 + 8, and 44 of things that must simply work. */
const rowCount = 121;
const checkCount = 147;

/**
 * Makes a test of every check of every row.
 * @param connect gives a fresh connection to the server under test, which answers GET, HEAD and POST on `/` with 200 and a body.
 * @param assertNothingServed is called after the rows about malformed requests (RFC 7540 §8).
 */
export function testRequirements(
  name: string,
  connect: () => Promise<Http2Peer>,
  assertNothingServed: () => void,
): void {
  const skip = skipWithout(folder);
  if (folder === undefined) {
    test(`${name}: the rows of HTTP/2`, { skip }, () => {});
    return;
  }
  const rows = JSON.parse(readFileSync(join(folder, 'http2-server-requirements.json'), 'utf8')) as Requirement[];
  let checks = 0;
  for (const row of rows) {
    const stimulus = stimuli[row.id];
    const variants = stimulus === undefined ? [] : Array.isArray(stimulus) ? stimulus : [stimulus];
    checks += variants.length;
    variants.forEach((variant, index) => {
      const which = variants.length > 1 ? ` (${index + 1} of ${variants.length})` : '';
      test(`${name} ${row.id} ${row.level}: ${row.stimulus}${which}`, async () => {
        const peer = await connect();
        try {
          await judge(peer, row.expect, await variant(peer));
          if (row.id.startsWith('http2-8.')) {
            assertNothingServed();
          }
        } finally {
          peer.end();
        }
      });
    });
  }
  test(`${name}: every row of HTTP/2 has its checks`, () => {
    assert.equal(rows.length, rowCount);
    assert.deepEqual(
      rows.map((row) => row.id).filter((id) => !Object.hasOwn(stimuli, id)),
      [],
    );
    assert.equal(checks, checkCount);
  });
}
