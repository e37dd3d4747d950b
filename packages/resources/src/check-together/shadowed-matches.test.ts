import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findingsOf, object, to } from './test-support.ts';

/** What is said of rules with these matches, one each. */
function http(...matches: readonly object[]): readonly string[] {
  return findingsOf([
    object('VirtualService', 'v', {
      hosts: ['reviews'],
      http: matches.map((match) => ({ match: [match], route: [to('reviews')] })),
    }),
  ]);
}

const shadowed = [
  'v spec.http[1].match[0]: spec.http[0] comes first and takes every request that it matches, so the rule is never reached',
];

test('a match that an earlier, wider one covers', () => {
  for (const [wide, narrow] of [
    [{ uri: { prefix: '/a' } }, { uri: { exact: '/a/b' } }],
    [{ uri: { prefix: '/a' } }, { uri: { prefix: '/ab' }, method: { exact: 'GET' } }],
    [{ uri: { prefix: '/A' }, ignoreUriCase: true }, { uri: { exact: '/a/b' } }],
    [{ headers: { user: {} } }, { headers: { user: { exact: 'jason' } }, uri: { prefix: '/a' } }],
    [{ headers: { user: { prefix: 'j' } } }, { headers: { user: { exact: 'jason' } } }],
    [{ withoutHeaders: { user: { exact: 'a' } } }, { withoutHeaders: { user: {} } }],
    [{ uri: { regex: '.*' } }, { uri: { exact: '/' } }],
    [{ queryParams: { q: { exact: 'a' } } }, { queryParams: { q: { exact: 'a' }, p: { exact: 'b' } } }],
    [{ sourceLabels: { app: 'a' } }, { sourceLabels: { app: 'a', version: 'v1' } }],
  ] as const) {
    assert.deepEqual(http(wide, narrow), shadowed, JSON.stringify([wide, narrow]));
    assert.deepEqual(http(narrow, wide), [], JSON.stringify([narrow, wide]));
  }
});

test('matches that only overlap are left alone', () => {
  for (const [first, second] of [
    [{ uri: { prefix: '/a' } }, { uri: { prefix: '/b' } }],
    [{ uri: { prefix: '/a' }, method: { exact: 'GET' } }, { uri: { exact: '/a/b' } }],
    [{ uri: { prefix: '/a' } }, { uri: { exact: '/A' }, ignoreUriCase: true }],
    [{ uri: { prefix: '/a' }, gateways: ['mesh'] }, { uri: { exact: '/a/b' } }],
    [{ uri: { regex: '/a.*' } }, { uri: { exact: '/a' } }],
  ] as const) {
    assert.deepEqual(http(first, second), []);
  }
});

test('of several matches only the covered one is named; a rule after one for everything is told once', () => {
  const route = [to('reviews')];
  const rules = (...list: readonly object[]): readonly string[] =>
    findingsOf([object('VirtualService', 'v', { hosts: ['reviews'], http: list })]);
  assert.deepEqual(
    rules(
      { name: 'wide', match: [{ uri: { prefix: '/a' } }], route },
      { match: [{ uri: { exact: '/a' } }, { uri: { exact: '/b' } }], route },
    ),
    ['v spec.http[1].match[0]: "wide" comes first and takes every request that it matches'],
  );
  assert.deepEqual(rules({ match: [{ uri: { prefix: '/' } }], route }, { match: [{ uri: { exact: '/b' } }], route }), [
    'v spec.http[1]: the rule is never reached: spec.http[0] takes every request',
  ]);
});

test('rules for TLS and TCP', () => {
  const route = [to('reviews')];
  const said = findingsOf([
    object('VirtualService', 'v', {
      hosts: ['*.a.com'],
      tls: [
        { match: [{ sniHosts: ['*.a.com'], port: 443 }], route },
        { match: [{ sniHosts: ['b.a.com'], port: 443 }], route },
        { match: [{ sniHosts: ['b.a.com'], port: 444 }], route },
      ],
      tcp: [{ route }, { match: [{ port: 80 }], route }],
    }),
  ]);
  assert.deepEqual(said, [
    'v spec.tls[1].match[0]: spec.tls[0] comes first and takes all of its server names',
    'v spec.tcp[1]: the rule is never reached: spec.tcp[0] takes every connection',
  ]);
});

test('in an HTTPRoute the more specific match wins wherever it stands; what is as specific goes by order', () => {
  const rules = (...matches: readonly object[]): readonly string[] =>
    findingsOf([
      object('HTTPRoute', 'r', {
        rules: matches.map((match) => ({ matches: [match], backendRefs: [{ name: 'reviews', port: 80 }] })),
      }),
    ]);
  const path = (value: string): object => ({ path: { type: 'PathPrefix', value } });
  assert.deepEqual(rules(path('/'), path('/a')), []);
  assert.equal(rules(path('/a'), path('/a/')).length, 1);
  const header = (type: string, value: string): object => ({ headers: [{ type, name: 'x', value }] });
  assert.deepEqual(rules(header('RegularExpression', '.*'), header('Exact', 'a')), [
    'r spec.rules[1].matches[0]: spec.rules[0] comes first, is as specific, and takes every request that it matches',
  ]);
  assert.deepEqual(rules(header('Exact', 'a'), header('RegularExpression', '.*')), []);
});
