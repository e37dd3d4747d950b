import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeViolation } from '../../describe-violation.ts';
import { grpcStatusNames } from '../../format/http.ts';
import { parseManifest } from '../../manifest/parse-manifest.ts';
import { validateObject } from '../../validate-object.ts';

const httpRoute = { group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', name: 'shop' };

const kinds =
  'gateway.networking.k8s.io/HTTPRoute, gateway.networking.k8s.io/GRPCRoute, networking.istio.io/VirtualService';

function problems(spec: object): readonly string[] {
  const object = { apiVersion: 'weft.dev/v1alpha1', kind: 'RouteActionPolicy', metadata: { name: 'p' }, spec };
  return (validateObject(object).violations ?? []).map(describeViolation);
}

test('hedging, each fault and retries are accepted, for all three kinds of routes', () => {
  const targetRefs = [
    httpRoute,
    { ...httpRoute, kind: 'GRPCRoute', sectionName: 'say' },
    { group: 'networking.istio.io', kind: 'VirtualService', name: 'shop', sectionName: 'All of it' },
  ];
  assert.deepEqual(problems({ targetRefs, hedging: { onPerTryTimeout: true } }), []);
  for (const limit of ['1Ki', '64Ki', '1Mi', '2Gi']) {
    assert.deepEqual(problems({ targetRefs, fault: { bandwidth: { limit, percentage: { value: 0.5 } } } }), []);
  }
  assert.deepEqual(
    problems({
      targetRefs,
      fault: { delay: { fixedDelay: '7s' }, abort: { grpcStatus: 'UNAVAILABLE', percentage: { value: 10 } } },
      retries: { attempts: 3, perTryTimeout: '200ms', retryOn: '5xx,409', backoff: '50ms' },
    }),
    [],
  );
});

test('what has the wrong shape is refused, all of it at once', () => {
  assert.deepEqual(
    problems({
      targetRefs: [],
      hedging: {},
      fault: {
        bandwidth: { limit: '64kb', percentage: { value: 101 } },
        delay: { percentage: {} },
        abort: { percentage: { value: -1 } },
      },
    }),
    [
      'spec.targetRefs: Required value: has 0 items, at least 1 are allowed',
      'spec.hedging.onPerTryTimeout: Required value: the field is missing',
      'spec.fault.bandwidth.limit: Invalid value: "64kb" is not a whole number of KiB, MiB or GiB such as 64Ki',
      'spec.fault.bandwidth.percentage.value: Invalid value: 101 should be less than or equal to 100',
      'spec.fault.delay.fixedDelay: Required value: the field is missing',
      'spec.fault.delay.percentage.value: Required value: the field is missing',
      'spec.fault.abort.percentage.value: Invalid value: -1 should be greater than or equal to 0',
    ],
  );
});

test('what means nothing is refused, all of it at once', () => {
  assert.deepEqual(problems({ targetRefs: [httpRoute] }), ['spec: Required value: the policy says nothing']);
  assert.deepEqual(
    problems({
      targetRefs: [
        httpRoute,
        httpRoute,
        { ...httpRoute, sectionName: 'a' },
        { group: '', kind: 'Service', name: 'shop' },
        { group: 'gateway.networking.k8s.io', kind: 'VirtualService', name: 'shop' },
      ],
      fault: { delay: { fixedDelay: '7' }, abort: { httpStatus: 99, grpcStatus: 'NO' } },
      retries: { attempts: 1, retryOn: 'sometimes', perTryTimeout: '0s' },
    }),
    [
      'spec.targetRefs[1]: Duplicate value: "shop" is there more than once',
      'spec.targetRefs[2]: Conflict: shop is meant as a whole and by its rules',
      `spec.targetRefs[3].kind: Unsupported value: "Service" is not one of ${kinds}`,
      `spec.targetRefs[4].kind: Unsupported value: "gateway.networking.k8s.io/VirtualService" is not one of ${kinds}`,
      'spec.fault.delay.fixedDelay: Invalid value: "7": must be a valid duration greater than 1ms',
      'spec.fault.abort.grpcStatus: Conflict: only one of httpStatus, grpcStatus, http2Error can be set, and httpStatus is',
      'spec.fault.abort.httpStatus: Invalid value: 99: not a status of a final response',
      `spec.fault.abort.grpcStatus: Unsupported value: "NO" is not one of ${grpcStatusNames.join(', ')}`,
      'spec.retries.perTryTimeout: Invalid value: "0s": must be a valid duration greater than 1ms',
      'spec.retries.retryOn: Invalid value: "sometimes": not a condition of retries',
    ],
  );
  assert.deepEqual(problems({ targetRefs: [httpRoute], fault: {} }), [
    'spec.fault: Required value: fault has neither bandwidth nor delay nor abort',
  ]);
});

test('mistakes of a file are told with line and column', () => {
  const { violations } = parseManifest(`apiVersion: weft.dev/v1alpha1
kind: RouteActionPolicy
metadata: { name: p }
spec:
  targetRefs:
    - { group: gateway.networking.k8s.io, kind: HTTPRoute, name: shop }
  fault:
    bandwidth: { limit: 64 KB/s }
`);
  assert.deepEqual(
    violations?.map(({ path, line, column }) => [path, line, column]),
    [['spec.fault.bandwidth.limit', 8, 25]],
  );
});
