import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RequestHead } from '@weft/http-codec';
import { seededRandom } from '@weft/testkit';
import { type CompiledPath, matchesPath } from './path-match.ts';
import { RouteIndex } from './route-index.ts';

const yes = (): boolean => true;

test('the index gives what a search from the first route to the last gives', () => {
  const random = seededRandom(4);
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
  const head = new RequestHead();
  for (let round = 0; round < 200; round += 1) {
    const segments = ['/a', '/b', '/A', '/ab', '/'];
    const path = (): string => Array.from({ length: 1 + Math.floor(random() * 3) }, () => pick(segments)).join('');
    const paths = Array.from({ length: 30 }, (): CompiledPath => {
      const caseSensitive = random() < 0.7;
      const value = path();
      return {
        kind: pick(['exact', 'prefix', 'path-separated-prefix'] as const),
        value: caseSensitive ? value : value.toLowerCase(),
        regex: undefined,
        caseSensitive,
      };
    });
    const index = new RouteIndex(paths);
    for (let look = 0; look < 20; look += 1) {
      const wanted = path();
      const refused = Math.floor(random() * 30);
      const accepts = (position: number): boolean => position !== refused;
      assert.equal(
        index.first(wanted, undefined, accepts),
        paths.findIndex((candidate, position) => accepts(position) && matchesPath(candidate, head, wanted)),
      );
    }
  }
});

test('routes that have no place in the index take their turn', () => {
  const regex = { source: '', test: () => true, replaceAll: (text: string) => text };
  const paths: CompiledPath[] = [
    { kind: 'exact', value: '/x', regex: undefined, caseSensitive: true },
    { kind: 'regex', value: '', regex, caseSensitive: true },
    { kind: 'prefix', value: '', regex: undefined, caseSensitive: true },
  ];
  const index = new RouteIndex(paths);
  assert.equal(index.first('/x', undefined, yes), 0);
  assert.equal(index.first('/y', undefined, yes), 1);
  assert.equal(
    index.first('/y', undefined, (position) => position !== 1),
    2,
  );
  assert.equal(
    index.first('/y', undefined, () => false),
    -1,
  );
});
