import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeViolation } from '../../describe-violation.ts';
import { validateObject, warningsFor } from '../../validate-object.ts';

const group = 'gateway.networking.k8s.io';

function judge(kind: string, spec: object, version = 'v1'): ReturnType<typeof validateObject> {
  return validateObject({ apiVersion: `${group}/${version}`, kind, metadata: { name: 'a' }, spec });
}

function problems(kind: string, spec: object, version = 'v1'): string[] {
  return (judge(kind, spec, version).violations ?? []).map(describeViolation);
}

const ofRule = (rule: object, kind = 'HTTPRoute'): string[] =>
  problems(kind, { rules: [rule] }).map((line) => line.replace('spec.rules[0].', ''));

function specOf(kind: string, spec: object): unknown {
  return (judge(kind, spec).object as unknown as { spec: unknown }).spec;
}

const backendRefs = [{ name: 'b', port: 80 }];
const defaulted = { group: '', kind: 'Service', name: 'b', port: 80, weight: 1 };

test('an HTTPRoute gets every default', () => {
  assert.deepEqual(specOf('HTTPRoute', {}), { rules: [{ matches: [{ path: { type: 'PathPrefix', value: '/' } }] }] });
  assert.deepEqual(
    specOf('HTTPRoute', {
      parentRefs: [{ name: 'edge' }],
      rules: [
        {
          matches: [
            { method: 'GET' },
            { path: { type: 'Exact' }, headers: [{ name: 'a', value: 'b' }], queryParams: [{ name: 'c', value: 'd' }] },
          ],
          filters: [
            { type: 'RequestRedirect', requestRedirect: {} },
            { type: 'CORS', cors: {} },
            {
              type: 'RequestMirror',
              requestMirror: { backendRef: { name: 'b', port: 80 }, fraction: { numerator: 1 } },
            },
          ],
        },
        { backendRefs, sessionPersistence: { cookieConfig: {} } },
      ],
    }),
    {
      parentRefs: [{ group, kind: 'Gateway', name: 'edge' }],
      rules: [
        {
          matches: [
            { path: { type: 'PathPrefix', value: '/' }, method: 'GET' },
            {
              path: { type: 'Exact', value: '/' },
              headers: [{ type: 'Exact', name: 'a', value: 'b' }],
              queryParams: [{ type: 'Exact', name: 'c', value: 'd' }],
            },
          ],
          filters: [
            { type: 'RequestRedirect', requestRedirect: { statusCode: 302 } },
            { type: 'CORS', cors: { maxAge: 5 } },
            {
              type: 'RequestMirror',
              requestMirror: {
                backendRef: { group: '', kind: 'Service', name: 'b', port: 80 },
                fraction: { numerator: 1, denominator: 100 },
              },
            },
          ],
        },
        {
          matches: [{ path: { type: 'PathPrefix', value: '/' } }],
          backendRefs: [defaulted],
          sessionPersistence: { type: 'Cookie', cookieConfig: { lifetimeType: 'Session' } },
        },
      ],
    },
  );
});

test('a GRPCRoute gets every default, and none for its matches', () => {
  assert.deepEqual(specOf('GRPCRoute', { rules: [{ backendRefs }] }), { rules: [{ backendRefs: [defaulted] }] });
  assert.deepEqual(specOf('GRPCRoute', { rules: [{ matches: [{ method: { service: 'a.B' } }] }] }), {
    rules: [{ matches: [{ method: { type: 'Exact', service: 'a.B' } }] }],
  });
});

test('a regular expression is one that can be matched in linear time', () => {
  const problem = (line: string): string => line.split(': ').slice(0, 2).join(': ');
  const matches = [
    {
      path: { type: 'RegularExpression', value: '(a' },
      headers: [{ type: 'RegularExpression', name: 'h', value: '(?=a)' }],
      queryParams: [{ type: 'RegularExpression', name: 'q', value: '\\1' }],
    },
  ];
  assert.deepEqual(ofRule({ matches, backendRefs }).map(problem), [
    'matches[0].path.value: Invalid value',
    'matches[0].headers[0].value: Invalid value',
    'matches[0].queryParams[0].value: Invalid value',
  ]);
  const calls = [
    {
      method: { type: 'RegularExpression', service: '(a', method: 'b)' },
      headers: [{ type: 'RegularExpression', name: 'h', value: '*' }],
    },
  ];
  assert.deepEqual(ofRule({ matches: calls, backendRefs }, 'GRPCRoute').map(problem), [
    'matches[0].method.service: Invalid value',
    'matches[0].method.method: Invalid value',
    'matches[0].headers[0].value: Invalid value',
  ]);
});

test('header fields that frame a message are left alone, and values stay on their line', () => {
  const edit = (modifier: object) => ({
    filters: [
      { type: 'RequestHeaderModifier', requestHeaderModifier: modifier },
      { type: 'ResponseHeaderModifier', responseHeaderModifier: modifier },
    ],
    backendRefs,
  });
  assert.deepEqual(ofRule(edit({ set: [{ name: 'X-A', value: 'b  c' }], add: [{ name: 'x-b', value: 'ä' }] })), []);
  assert.deepEqual(ofRule(edit({ set: [{ name: 'host', value: 'a.com' }] })), [
    'filters[1].responseHeaderModifier.set[0].name: Invalid value: "host": this header field cannot be changed here',
  ]);
  for (const kind of ['HTTPRoute', 'GRPCRoute']) {
    assert.deepEqual(
      ofRule(
        edit({
          set: [{ name: 'content-length', value: '1' }],
          add: [{ name: 'x', value: 'a\r\nb' }],
          remove: ['Transfer-Encoding', 'a b'],
        }),
        kind,
      ).filter((line) => line.startsWith('filters[0]')),
      [
        'filters[0].requestHeaderModifier.set[0].name: Invalid value: "content-length": this header field frames the message and cannot be changed',
        'filters[0].requestHeaderModifier.add[0].value: Invalid value: "a\\r\\nb": not a valid value of a header field',
        'filters[0].requestHeaderModifier.remove[0]: Invalid value: "Transfer-Encoding": this header field frames the message and cannot be changed',
        'filters[0].requestHeaderModifier.remove[1]: Invalid value: "a b": not a valid name of a header field',
      ],
      kind,
    );
  }
});

test('one field or parameter is matched once', () => {
  assert.deepEqual(
    ofRule({
      matches: [
        {
          headers: [
            { name: 'a', value: 'b' },
            { name: 'a', value: 'c' },
          ],
          queryParams: [
            { name: 'q', value: '1' },
            { name: 'q', value: '1' },
          ],
        },
      ],
      filters: [
        {
          type: 'RequestHeaderModifier',
          requestHeaderModifier: {
            set: [
              { name: 'a', value: 'b' },
              { name: 'a', value: 'c' },
            ],
            remove: ['x', 'x'],
          },
        },
        { type: 'CORS', cors: { allowMethods: ['GET', 'GET'] } },
      ],
      backendRefs,
    }),
    [
      'matches[0].headers[1].name: Duplicate value: "a" is there more than once',
      'matches[0].queryParams[1].name: Duplicate value: "q" is there more than once',
      'filters[0].requestHeaderModifier.set[1].name: Duplicate value: "a" is there more than once',
      'filters[0].requestHeaderModifier.remove[1]: Duplicate value: "x" is there more than once',
      'filters[1].cors.allowMethods[1]: Duplicate value: "GET" is there more than once',
    ],
  );
});

test('numbers, words and durations are within their bounds', () => {
  assert.deepEqual(
    ofRule({
      matches: [{ method: 'FETCH', path: { type: 'Prefix', value: '/' } }],
      filters: [
        { type: 'RequestRedirect', requestRedirect: { statusCode: 304, port: 70_000, scheme: 'ftp' } },
        { type: 'RequestMirror', requestMirror: { backendRef: { name: 'b', port: 80 }, percent: 101 } },
        { type: 'CORS', cors: { allowOrigins: ['a.com'], maxAge: 0 } },
      ],
    }),
    [
      'matches[0].path.type: Unsupported value: "Prefix" is not one of Exact, PathPrefix, RegularExpression',
      'matches[0].method: Unsupported value: "FETCH" is not one of GET, HEAD, POST, PUT, DELETE, CONNECT, OPTIONS, TRACE, PATCH',
      'filters[0].requestRedirect.scheme: Unsupported value: "ftp" is not one of http, https',
      'filters[0].requestRedirect.port: Invalid value: 70000 should be less than or equal to 65535',
      'filters[0].requestRedirect.statusCode: Unsupported value: 304 is not one of 301, 302, 303, 307, 308',
      'filters[1].requestMirror.percent: Invalid value: 101 should be less than or equal to 100',
      'filters[2].cors.allowOrigins[0]: Invalid value: "a.com" is not an origin such as https://shop.example.com, https://*.example.com or *',
      'filters[2].cors.maxAge: Invalid value: 0 should be greater than or equal to 1',
    ],
  );
  assert.deepEqual(
    ofRule({
      backendRefs: [{ name: 'b', port: 80, weight: 1_000_001 }],
      timeouts: { request: '1.5s', backendRequest: '-1s' },
      retry: { codes: [399, 500, 500], attempts: -1, backoff: '1d' },
    }).map((line) => line.replace(/ is not a duration .*/, ' is not a duration')),
    [
      'backendRefs[0].weight: Invalid value: 1000001 should be less than or equal to 1000000',
      'timeouts.request: Invalid value: "1.5s" is not a duration',
      'timeouts.backendRequest: Invalid value: "-1s" is not a duration',
      'retry.codes[0]: Invalid value: 399 should be greater than or equal to 400',
      'retry.backoff: Invalid value: "1d" is not a duration',
      'retry.attempts: Invalid value: -1: must not be negative',
    ],
  );
});

test('lists are as long as they may be', () => {
  const many = <T>(count: number, item: (index: number) => T): T[] => Array.from({ length: count }, (_, i) => item(i));
  assert.deepEqual(problems('HTTPRoute', { rules: [] }), [
    'spec.rules: Required value: has 0 items, at least 1 are allowed',
  ]);
  assert.deepEqual(problems('HTTPRoute', { rules: many(17, () => ({ backendRefs })) }), [
    'spec.rules: Too long: has 17 items, at most 16 are allowed',
  ]);
  assert.deepEqual(problems('HTTPRoute', { hostnames: many(17, (index) => `h${index}.com`) }), [
    'spec.hostnames: Too long: has 17 items, at most 16 are allowed',
  ]);
  assert.deepEqual(problems('HTTPRoute', { parentRefs: many(33, (index) => ({ name: `p${index}` })) }), [
    'spec.parentRefs: Too long: has 33 items, at most 32 are allowed',
  ]);
  assert.deepEqual(problems('HTTPRoute', { rules: [{ matches: many(65, () => ({})) }] }), [
    'spec.rules[0].matches: Too long: has 65 items, at most 64 are allowed',
  ]);
});

test('routes of connections name hosts and one rule, and backends with their ports', () => {
  assert.deepEqual(problems('TLSRoute', { rules: [{ backendRefs }, { backendRefs }] }), [
    'spec.hostnames: Required value: the field is missing',
    'spec.rules: Too long: has 2 items, at most 1 are allowed',
  ]);
  assert.deepEqual(problems('TLSRoute', { hostnames: ['10.0.0.1'], rules: [{ backendRefs: [{ name: 'b' }] }] }), [
    'spec.rules[0].backendRefs[0].port: Required value: a Service is referred to with its port',
    'spec.hostnames[0]: Invalid value: "10.0.0.1": an address, which no client sends as server name',
  ]);
  assert.deepEqual(
    problems(
      'TCPRoute',
      {
        hostnames: ['a.com'],
        rules: [
          { name: 'a', backendRefs: [] },
          { name: 'a', backendRefs },
        ],
      },
      'v1alpha2',
    ),
    [
      'spec.rules[0].backendRefs: Required value: has 0 items, at least 1 are allowed',
      'spec.hostnames: Unknown field: unknown field "hostnames"',
      'spec.rules[1].name: Duplicate value: "a" is there more than once',
    ],
  );
});

test('a long text of the wrong form is refused at once', () => {
  for (const value of [`${'a'.repeat(500_000)}!`, `${'a-'.repeat(250_000)}.`, `${'a.'.repeat(250_000)}!`]) {
    assert.ok(problems('HTTPRoute', { hostnames: [value], parentRefs: [{ name: 'a', group: value }] }).length >= 2);
    assert.ok(problems('HTTPRoute', { rules: [{ timeouts: { request: value } }] }).length === 1);
  }
  const words = `${'a '.repeat(2000)}\n`;
  const add = [{ name: 'x', value: words }];
  const filters = [{ type: 'RequestHeaderModifier', requestHeaderModifier: { add } }];
  assert.equal(ofRule({ filters, backendRefs }).length, 1);
});

test('rules that nothing reaches, or that lead nowhere, are warned of', () => {
  const match = {
    path: { value: '/a' },
    headers: [
      { name: 'A', value: '1' },
      { name: 'b', value: '2' },
    ],
  };
  const same = {
    path: { type: 'PathPrefix', value: '/a' },
    headers: [
      { name: 'b', value: '2' },
      { name: 'a', value: '1' },
    ],
  };
  const { object } = judge('HTTPRoute', {
    hostnames: ['10.0.0.1'],
    rules: [
      { name: 'first', matches: [match], backendRefs },
      { matches: [{ path: { value: '/b' } }, same], backendRefs },
      { matches: [{ path: { value: '/c' } }] },
      { matches: [{ path: { value: '/d' } }], backendRefs: [{ name: 'b', port: 80, weight: 0 }] },
      { matches: [{ path: { value: '/e' } }], filters: [{ type: 'RequestRedirect', requestRedirect: { port: 81 } }] },
    ],
  });
  assert.ok(object);
  assert.deepEqual(warningsFor(object).map(describeViolation), [
    'spec.hostnames[0]: Forbidden: an address is no host name',
    'spec.rules[1].matches[1]: Conflict: first has the same match and comes first',
    'spec.rules[2].backendRefs: Required value: requests of the rule have nowhere to go: they get a 500',
    'spec.rules[3].backendRefs: Conflict: every weight is 0: requests of the rule get a 500',
  ]);
});
