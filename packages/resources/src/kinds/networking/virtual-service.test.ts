import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeViolation } from '../../describe-violation.ts';
import type { KubeObject } from '../../object.ts';
import { validateObject, warningsFor } from '../../validate-object.ts';
import { hostsMax } from './virtual-service-validation.ts';

function virtualService(spec: object): unknown {
  return { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService', metadata: { name: 'a' }, spec };
}

function problems(spec: object): string[] {
  return (validateObject(virtualService(spec)).violations ?? []).map(describeViolation);
}

/** Problems of one HTTP rule. */
function ofRule(rule: object): string[] {
  const valid = { route: [{ destination: { host: 'reviews' } }] };
  return problems({ hosts: ['reviews'], http: [{ ...valid, ...rule }] }).map((line) =>
    line.replace('spec.http[0].', ''),
  );
}

const route = [{ destination: { host: 'reviews', subset: 'v1', port: { number: 80 } } }];

test('what Istio users write is accepted', () => {
  for (const spec of [
    { hosts: ['reviews'], http: [{ route }] },
    { hosts: ['*.example.com', '10.0.0.1'], gateways: ['ns/gw', 'mesh'], exportTo: ['.', 'other'], http: [{ route }] },
    { hosts: ['*'], gateways: ['gw'], http: [{ redirect: { uri: '/x', derivePort: 'FROM_REQUEST_PORT' } }] },
    { http: [{ route }] },
    { hosts: ['a'], http: [{ delegate: { name: 'b' }, match: [{ uri: { prefix: '/b' } }] }] },
    { hosts: ['a'], http: [{ directResponse: { status: 503, body: { string: 'no' } } }] },
    { hosts: ['a'], http: [{ route: [{ ...route[0], weight: 0 }] }] },
    { hosts: ['a.com'], tls: [{ match: [{ sniHosts: ['a.com'], port: 443 }], route }] },
    { hosts: ['*.a.com'], tls: [{ match: [{ sniHosts: ['b.a.com', '*.a.com'] }], route }] },
    { hosts: ['a'], tcp: [{ match: [{ destinationSubnets: ['10.0.0.0/8'], sourceLabels: { app: 'a' } }], route }] },
    { hosts: ['a'], http: [{ route, match: [{ headers: { '@request.auth.claims.group': { exact: 'x' } } }] }] },
    { hosts: ['a'], http: [{ route, match: [{ headers: { 'x-a': {} }, queryParams: { q: { regex: '^a+$' } } }] }] },
    { hosts: ['a'], http: [{ route, headers: { request: { set: { Host: 'b' }, remove: ['x-a'] } } }] },
    { hosts: ['a'], http: [{ route, retries: { attempts: 3, retryOn: '5xx, reset,503', perTryTimeout: '2s' } }] },
    {
      hosts: ['a'],
      http: [
        {
          route,
          fault: { delay: { fixedDelay: '7s', percentage: { value: 0.1 } }, abort: { grpcStatus: 'UNAVAILABLE' } },
        },
      ],
    },
  ]) {
    assert.deepEqual(problems(spec), [], JSON.stringify(spec));
  }
});

test('hosts, gateways and exportTo are names, each once', () => {
  assert.deepEqual(
    problems({
      hosts: ['*', 'a b', 'reviews', 'REVIEWS', 'a..b'],
      gateways: ['a/b/c', 'mesh'],
      exportTo: ['.', '.', 'A'],
      http: [{ route }],
    }),
    [
      'spec.hosts[0]: Invalid value: "*": a wildcard for all hosts is only for gateways, and these routes are for sidecars',
      'spec.hosts[1]: Invalid value: "a b": not a valid host name',
      'spec.hosts[3]: Duplicate value: "REVIEWS" is there more than once',
      'spec.hosts[4]: Invalid value: "a..b": not a valid host name',
      'spec.gateways[0]: Invalid value: "a/b/c": not the name of a gateway',
      'spec.exportTo[1]: Duplicate value: "." is there more than once',
      'spec.exportTo[2]: Invalid value: "A": not a valid name',
    ],
  );
});

test('a virtual service has rules', () => {
  assert.deepEqual(problems({ hosts: ['a'] }), ['spec.http: Required value: http, tcp or tls must be provided']);
});

test('without hosts there are only HTTP rules, which do not delegate', () => {
  assert.deepEqual(problems({ gateways: ['gw'], http: [{ delegate: { name: 'b' } }], tcp: [{ route }] }), [
    'spec.gateways: Forbidden: a virtual service without hosts is used by delegation, and cannot have gateways',
    'spec.tcp: Forbidden: a virtual service without hosts is used by delegation, and cannot have tcp',
    'spec.http[0].delegate: Forbidden: routes that are delegated to cannot delegate further',
  ]);
});

test('a rule answers in one way', () => {
  assert.deepEqual(ofRule({ route: [] }), ['route: Required value: route, redirect or directResponse is required']);
  assert.deepEqual(ofRule({ redirect: { uri: '/' }, directResponse: { status: 200 }, rewrite: { uri: '/' } }), [
    'directResponse: Conflict: redirect is set as well',
    'route: Conflict: the rule answers by redirect and forwards nothing',
    'rewrite: Conflict: the rule answers by redirect and forwards nothing',
  ]);
  assert.deepEqual(ofRule({ delegate: {} }), [
    'route: Conflict: delegate hands over to other routes',
    'delegate.name: Required value: the name is missing',
  ]);
});

test('weights are shares of something', () => {
  const two = (first: number, second: number): object => ({
    route: [
      { destination: { host: 'a' }, weight: first },
      { destination: { host: 'b' }, weight: second },
    ],
  });
  assert.deepEqual(ofRule(two(0, 0)), [
    'route: Invalid value: the weights of the 2 destinations sum up to 0, so none of them would get anything',
  ]);
  assert.deepEqual(ofRule(two(-1, 100)), ['route[0].weight: Invalid value: -1: a weight must not be negative']);
  assert.deepEqual(ofRule(two(2_147_483_647, 2_147_483_647)), []);
});

test('destinations are single hosts with real ports and subsets', () => {
  assert.deepEqual(
    ofRule({
      route: [
        { destination: { host: '*' }, weight: 1 },
        { destination: { host: 'a b', subset: 'v 1', port: { number: 70_000 } } },
        { destination: { host: '', port: {} } },
      ],
    }),
    [
      'route[0].destination.host: Invalid value: "*": a destination is one host',
      'route[1].destination.host: Invalid value: "a b": not a valid host name',
      'route[1].destination.subset: Invalid value: "v 1": not the name of a subset',
      'route[1].destination.port.number: Invalid value: 70000: port must be between 1-65535',
      'route[2].destination.host: Required value: the host is empty',
      'route[2].destination.port.number: Required value: the number is missing',
    ],
  );
});

test('regular expressions must be matchable in linear time', () => {
  const [line = '', ...others] = ofRule({ match: [{ uri: { regex: '(?=a)b' } }] });
  assert.deepEqual(others, []);
  assert.match(line, /^match\[0\]\.uri\.regex: .*linear time: .*\(\?=/);
  assert.match(ofRule({ match: [{ headers: { a: { regex: '(a)\\1' } } }] })[0] ?? '', /invalid escape sequence/);
  assert.match(ofRule({ corsPolicy: { allowOrigins: [{ regex: '[' }] } })[0] ?? '', /allowOrigins\[0\]\.regex/);
  assert.match(ofRule({ rewrite: { uriRegexRewrite: { match: '(', rewrite: 'x' } } })[0] ?? '', /linear time/);
});

test('rules that delegate match without regular expressions', () => {
  const found = problems({
    hosts: ['a'],
    http: [{ delegate: { name: 'b' }, match: [{ uri: { regex: 'a' }, headers: { h: { regex: 'b' } } }] }],
  });
  assert.equal(found.length, 2);
  assert.match(found[0] ?? '', /cannot be joined/);
});

test('matches name real fields, ports, labels, namespaces and gateways', () => {
  assert.deepEqual(
    ofRule({
      match: [
        {
          headers: { 'a b': { exact: 'x' } },
          queryParams: { '': { exact: 'x' } },
          port: 70_000,
          sourceLabels: { 'a b': 'x' },
          sourceNamespace: 'A',
          gateways: [''],
          uri: { exact: '/', prefix: '/' },
        },
      ],
    }),
    [
      'match[0].uri.prefix: Conflict: only one of exact, prefix, regex can be set, and exact is',
      'match[0].headers[a b]: Invalid value: "a b": not a valid name of a header field',
      'match[0].queryParams: Invalid value: "": a query parameter has a name',
      'match[0].port: Invalid value: 70000: port must be between 1-65535',
      'match[0].sourceLabels[a b]: Invalid value: "a b": not a valid label key',
      'match[0].gateways[0]: Invalid value: "": not the name of a gateway',
      'match[0].sourceNamespace: Invalid value: "A": not a valid name',
    ],
  );
});

test('header edits leave the frame of a message alone', () => {
  assert.deepEqual(
    ofRule({
      rewrite: { authority: 'b' },
      headers: {
        request: { set: { host: 'c', ':path': '/' }, add: { 'x y': '1' }, remove: ['Host', 'Content-Length'] },
        response: { set: { host: 'c', a: 'line\nbreak', 'transfer-encoding': 'chunked' } },
      },
    }),
    [
      'headers.request.set[:path]: Invalid value: ":path": this header field cannot be changed here',
      'headers.request.add[x y]: Invalid value: "x y": not a valid name of a header field',
      'headers.request.remove[0]: Invalid value: "Host": this header field cannot be changed here',
      'headers.request.remove[1]: Invalid value: "Content-Length": this header field frames the message and cannot be changed',
      'headers.response.set.host: Invalid value: "host": this header field cannot be changed here',
      'headers.response.set.a: Invalid value: "line\\nbreak": not a valid value of a header field',
      'headers.response.set.transfer-encoding: Invalid value: "transfer-encoding": this header field frames the message and cannot be changed',
      'headers.request.set.host: Conflict: the authority is set by rewrite.authority already',
    ],
  );
});

test('faults, redirects, rewrites, retries, mirrors and CORS are judged field by field', () => {
  assert.deepEqual(
    ofRule({
      fault: {
        delay: { percentage: { value: 101 } },
        abort: { httpStatus: 99, percentage: { value: -1 } },
      },
      retries: { attempts: 0, retryOn: 'sometimes', perTryTimeout: '0s' },
      rewrite: {},
      mirror: { host: 'm' },
      mirrors: [{ destination: { host: 'n' }, percentage: { value: 200 } }],
      mirrorPercent: 101,
      corsPolicy: { allowMethods: ['FETCH'], allowHeaders: ['a b'], maxAge: '1500ms' },
      timeout: 'soon',
    }),
    [
      'fault.delay.fixedDelay: Required value: the delay is missing',
      'fault.delay.percentage.value: Invalid value: 101: not a percentage',
      'fault.abort.httpStatus: Invalid value: 99: not a status of a final response',
      'fault.abort.percentage.value: Invalid value: -1: not a percentage',
      'rewrite: Required value: nothing is rewritten',
      'retries.attempts: Required value: retries are switched off by attempts 0, but described',
      'retries.perTryTimeout: Invalid value: "0s": must be a valid duration greater than 1ms',
      'retries.retryOn: Invalid value: "sometimes": not a condition of retries',
      'mirrors: Conflict: mirror is set as well',
      'mirrors[0].percentage.value: Invalid value: 200: not a percentage',
      'mirrorPercent: Invalid value: 101: not a percentage',
      'timeout: Invalid value: "soon": must be a valid duration greater than 1ms',
      'corsPolicy.allowMethods[0]: Unsupported value: "FETCH" is not one of GET, HEAD, POST, PUT, DELETE, CONNECT, OPTIONS, TRACE, PATCH, *',
      'corsPolicy.allowHeaders[0]: Invalid value: "a b": not a valid name of a header field',
      'corsPolicy.maxAge: Invalid value: "1500ms": the header field for it counts whole seconds',
    ],
  );
  assert.deepEqual(
    problems({
      hosts: ['a'],
      http: [{ redirect: { scheme: 'ftp', redirectCode: 200, port: 80, derivePort: 'FROM_REQUEST_PORT' } }],
    }),
    [
      'spec.http[0].redirect.derivePort: Conflict: only one of port, derivePort can be set, and port is',
      'spec.http[0].redirect.scheme: Unsupported value: "ftp" is not one of http, https',
      'spec.http[0].redirect.redirectCode: Invalid value: 200: not a status of a redirection',
    ],
  );
  assert.match(
    problems({
      hosts: ['a'],
      http: [{ directResponse: { status: 200, body: { string: 'x'.repeat(1_048_577) } } }],
    })[0] ?? '',
    /directResponse\.body: Too long: the body has 1048577 bytes/,
  );
});

test('the server names of TLS rules are covered by the hosts', () => {
  assert.deepEqual(
    problems({
      hosts: ['*.a.com', 'b.com'],
      tls: [{ match: [{ sniHosts: ['x.b.com', 'x.a.com'] }, { sniHosts: [] }] }],
    }),
    [
      'spec.tls[0].match[0].sniHosts[0]: Not found: "x.b.com": no host of this virtual service covers the name',
      'spec.tls[0].match[1].sniHosts: Required value: a TLS match needs a server name',
      'spec.tls[0].route: Required value: a rule needs a destination',
    ],
  );
});

test('too many hosts and too many regular expressions are refused quickly', () => {
  const hosts = Array.from({ length: hostsMax + 1 }, (_, index) => `h${index}.com`);
  assert.match(problems({ hosts, tls: [{ match: [{ sniHosts: hosts }], route }] })[0] ?? '', /there are 1025 hosts/);
  const match = Array.from({ length: 5000 }, () => ({ uri: { regex: '.{800}' } }));
  const found = problems({ hosts: ['a'], http: [{ route, match }] });
  assert.equal(found.length, 1);
  assert.match(found[0] ?? '', /compile to more than 100000 instructions/);
});

test('rules that are never reached are warned of, not refused', () => {
  const { object } = validateObject(
    virtualService({
      hosts: ['a'],
      http: [
        { name: 'first', route, match: [{ uri: { prefix: '/a' } }] },
        { route, match: [{ name: 'other', uri: { prefix: '/a' } }, { uri: { exact: '/b' } }] },
        { route, mirrorPercent: 3 },
        { route, match: [{ uri: { exact: '/c' } }] },
      ],
    }),
  );
  assert.deepEqual(warningsFor(object as KubeObject).map(describeViolation), [
    'spec.http[1].match[0]: Conflict: "first" has the same match and comes first',
    'spec.http[2].mirrorPercent: Forbidden: the field is deprecated',
    'spec.http[3]: Conflict: the rule is never reached: spec.http[2] takes every request',
  ]);
});
