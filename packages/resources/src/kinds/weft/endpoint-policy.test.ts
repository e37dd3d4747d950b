import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeViolation } from '../../describe-violation.ts';
import { parseManifest } from '../../manifest/parse-manifest.ts';
import { validateObject, warningsFor } from '../../validate-object.ts';

const service = { group: '', kind: 'Service', name: 'shop' };
const entry = { group: 'networking.istio.io', kind: 'ServiceEntry', name: 'bank', sectionName: 'https' };

const policy = (spec: object) => ({
  ...{ apiVersion: 'weft.dev/v1alpha1', kind: 'EndpointPolicy', metadata: { name: 'p' } },
  spec: { targetRefs: [service], ...spec },
});
const problems = (spec: object): readonly string[] =>
  (validateObject(policy(spec)).violations ?? []).map(describeViolation);

test('each way of checking and all of balancing are accepted, for Services and ServiceEntries', () => {
  const timing = { interval: '500ms', timeout: '10ms', jitter: '0s', healthyThreshold: 1, unhealthyThreshold: 100 };
  for (const way of [
    { http: { path: '/' } },
    {
      http: {
        path: '/a?b=c%20d',
        host: '[::1]:80',
        method: 'POST',
        expectedStatuses: [204, '200-299'],
        cacheTime: '1m',
      },
    },
    { grpc: {} },
    { grpc: { service: 'shop.Echo', authority: 'echo.example:443' } },
    { tcp: {} },
    { tcp: { send: { text: 'PING\r\n' }, receive: [{ text: '+PONG' }, { base64: 'AAE=' }] } },
  ]) {
    assert.deepEqual(problems({ targetRefs: [service, entry], healthCheck: { ...timing, port: 81, ...way } }), []);
  }
  const leastRequest = { choiceCount: 2, activeRequestBias: 0.5 };
  assert.deepEqual(problems({ loadBalancer: { boundedLoad: 100, leastRequest, panicThreshold: 0 } }), []);
});

test('what has the wrong shape is refused, all of it at once', () => {
  assert.deepEqual(
    problems({
      targetRefs: [],
      healthCheck: {
        ...{ healthyThreshold: 0, unhealthyThreshold: 101, port: 0 },
        http: { method: 'CONNECT', expectedStatuses: [] },
        tcp: { send: { base64: '!' }, receive: [] },
      },
      loadBalancer: { boundedLoad: 99, leastRequest: { choiceCount: 1, activeRequestBias: -1 }, panicThreshold: 101 },
    }),
    [
      'spec.targetRefs: Required value: has 0 items, at least 1 are allowed',
      'spec.healthCheck.healthyThreshold: Invalid value: 0 should be greater than or equal to 1',
      'spec.healthCheck.unhealthyThreshold: Invalid value: 101 should be less than or equal to 100',
      'spec.healthCheck.port: Invalid value: 0: port must be between 1-65535',
      'spec.healthCheck.http.path: Required value: the field is missing',
      'spec.healthCheck.http.method: Unsupported value: "CONNECT" is not one of GET, HEAD, OPTIONS, POST',
      'spec.healthCheck.http.expectedStatuses: Required value: has 0 items, at least 1 are allowed',
      'spec.healthCheck.tcp.send.base64: Invalid value: the value is not base64 (RFC 4648 §4)',
      'spec.healthCheck.tcp.receive: Required value: has 0 items, at least 1 are allowed',
      'spec.loadBalancer.boundedLoad: Invalid value: 99 should be greater than or equal to 100',
      'spec.loadBalancer.leastRequest.choiceCount: Invalid value: 1 should be greater than or equal to 2',
      'spec.loadBalancer.leastRequest.activeRequestBias: Invalid value: -1 should be greater than or equal to 0',
      'spec.loadBalancer.panicThreshold: Invalid value: 101 should be less than or equal to 100',
    ],
  );
});

test('bounds: no flood of checks, and none that tell nothing', () => {
  const http = { path: '/' };
  for (const [field, values] of Object.entries({
    interval: ['1ms', '499ms', '61m', '10', '-1s', 'soon'],
    timeout: ['9ms', '61s', '0s', 'late'],
    jitter: ['11s', '-1s', 'some'],
  })) {
    for (const value of values) {
      const [problem = '', ...others] = problems({ healthCheck: { http, [field]: value } });
      assert.match(problem, new RegExp(`^spec\\.healthCheck\\.${field}: Invalid value: "${value}": `));
      assert.deepEqual(others, []);
    }
  }
  assert.deepEqual(problems({ healthCheck: { http, interval: '1s', jitter: '2s' } }), [
    'spec.healthCheck.jitter: Invalid value: "2s": must be from 0ms to 1s',
  ]);
});

test('what means nothing is refused, all of it at once', () => {
  assert.deepEqual(problems({}), ['spec: Required value: the policy says nothing']);
  assert.deepEqual(problems({ loadBalancer: {} }), ['spec: Required value: the policy says nothing']);
  assert.deepEqual(problems({ healthCheck: {} }), [
    'spec.healthCheck: Required value: nothing says how endpoints are checked',
  ]);
  assert.deepEqual(
    problems({
      targetRefs: [
        service,
        service,
        { ...service, sectionName: 'http' },
        { group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', name: 'shop' },
        { ...service, kind: 'ServiceEntry' },
      ],
      healthCheck: {
        http: {
          path: 'healthz',
          host: 'a b',
          expectedStatuses: [99, 600, '299-200', 'ok', '2xx'],
          cacheTime: '2h',
        },
        grpc: { authority: 'host:99999' },
        tcp: { send: {}, receive: [{ text: 'a', base64: 'YQ==' }, { base64: 'A'.repeat(6_000) }] },
      },
    }),
    [
      'spec.targetRefs[1]: Duplicate value: "shop" is there more than once',
      'spec.targetRefs[2]: Conflict: shop is meant as a whole and by its ports',
      'spec.targetRefs[3].kind: Unsupported value: "gateway.networking.k8s.io/HTTPRoute" is not one of /Service, networking.istio.io/ServiceEntry',
      'spec.targetRefs[4].kind: Unsupported value: "/ServiceEntry" is not one of /Service, networking.istio.io/ServiceEntry',
      'spec.healthCheck.grpc: Conflict: only one of http, grpc, tcp can be set, and http is',
      'spec.healthCheck.tcp: Conflict: only one of http, grpc, tcp can be set, and http is',
      'spec.healthCheck.http.path: Invalid value: "healthz": not a path',
      'spec.healthCheck.http.host: Invalid value: "a b": not a host, with a port or without',
      ...['99', '600', '"299-200"', '"ok"', '"2xx"'].map(
        (item, index) =>
          `spec.healthCheck.http.expectedStatuses[${index}]: Invalid value: ${item}: not a status from 100 to 599, nor a range of them`,
      ),
      'spec.healthCheck.http.cacheTime: Invalid value: "2h": must be from 100ms to 1m',
      'spec.healthCheck.grpc.authority: Invalid value: "host:99999": not a host, with a port or without',
      'spec.healthCheck.tcp.send: Required value: neither text nor base64 is there',
      'spec.healthCheck.tcp.receive[0].base64: Conflict: only one of text, base64 can be set, and text is',
      'spec.healthCheck.tcp.receive[1].base64: Too long: it has more than 4096 bytes',
    ],
  );
});

test('a check by TCP that waits for nothing is warned of, as a sidecar takes every connection', () => {
  const warned = (tcp: object): readonly string[] =>
    warningsFor(policy({ healthCheck: { tcp } })).map(({ path }) => path);
  assert.deepEqual(warned({}), ['spec.healthCheck.tcp.receive']);
  assert.deepEqual(warned({ receive: [{ text: 'hello' }] }), []);
});

test('mistakes of a file are told with line and column', () => {
  const { violations } = parseManifest(`apiVersion: weft.dev/v1alpha1
kind: EndpointPolicy
metadata: { name: p }
spec:
  targetRefs:
    - { group: "", kind: Service, name: shop }
  healthCheck:
    interval: 1ms
    http: { path: /, expectedStatuses: [200, 2000] }
`);
  assert.deepEqual(
    violations?.map(({ path, line, column }) => [path, line, column]),
    [
      ['spec.healthCheck.interval', 8, 15],
      ['spec.healthCheck.http.expectedStatuses[1]', 9, 46],
    ],
  );
});
