import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeViolation } from '../../describe-violation.ts';
import { validateObject } from '../../validate-object.ts';
import { localitiesMax } from './load-balancer-validation.ts';

function problems(spec: object): string[] {
  const object = { apiVersion: 'networking.istio.io/v1', kind: 'DestinationRule', metadata: { name: 'a' }, spec };
  return (validateObject(object).violations ?? []).map(describeViolation);
}

function ofPolicy(trafficPolicy: object): string[] {
  return problems({ host: 'reviews', trafficPolicy }).map((line) => line.replace('spec.trafficPolicy.', ''));
}

test('what Istio users write is accepted', () => {
  for (const trafficPolicy of [
    { loadBalancer: { simple: 'ROUND_ROBIN' }, tls: { mode: 'ISTIO_MUTUAL' } },
    { loadBalancer: { consistentHash: { httpCookie: { name: 'user', ttl: '0s' }, maglev: { tableSize: 65_537 } } } },
    { connectionPool: { tcp: { maxConnections: 100, idleTimeout: '0s' }, http: { http1MaxPendingRequests: 1 } } },
    { outlierDetection: { consecutive5xxErrors: 7, interval: '5m', baseEjectionTime: '15m' } },
    { tls: { mode: 'MUTUAL', credentialName: 'client' } },
    { portLevelSettings: [{ port: { number: 80 }, loadBalancer: { simple: 'LEAST_REQUEST' } }] },
    {
      loadBalancer: {
        localityLbSetting: { distribute: [{ from: 'us/a/*', to: { 'us/a/*': 70, 'us/b/*': 30 } }] },
      },
    },
  ]) {
    assert.deepEqual(ofPolicy(trafficPolicy), [], JSON.stringify(trafficPolicy));
  }
});

test('subsets have names of their own and real labels', () => {
  assert.deepEqual(
    problems({
      host: '',
      subsets: [{ name: 'v1' }, { name: 'v1', labels: { version: 'a b' } }, { name: 'v 2', trafficPolicy: {} }],
      workloadSelector: { matchLabels: { app: '*' } },
    }),
    [
      'spec.host: Required value: the host is empty',
      'spec.subsets[1].name: Duplicate value: "v1" is there more than once',
      'spec.subsets[1].labels.version: Invalid value: "a b": not a valid label value',
      'spec.subsets[2].name: Invalid value: "v 2": not the name of a subset',
      'spec.subsets[2].trafficPolicy: Required value: the traffic policy is empty',
      'spec.workloadSelector.matchLabels.app: Invalid value: "*": wildcard not allowed in label value match',
    ],
  );
});

test('TLS towards endpoints has what its mode needs and nothing else', () => {
  assert.deepEqual(ofPolicy({ tls: { mode: 'MUTUAL' } }), [
    'tls.clientCertificate: Required value: mode MUTUAL needs it',
    'tls.privateKey: Required value: mode MUTUAL needs it',
  ]);
  assert.deepEqual(ofPolicy({ tls: { mode: 'ISTIO_MUTUAL', caCertificates: '/a' } }), [
    'tls.caCertificates: Forbidden: mode ISTIO_MUTUAL uses the certificates of the mesh',
  ]);
  assert.deepEqual(ofPolicy({ tls: { mode: 'SIMPLE', credentialName: 'a', caCertificates: '/a' } }), [
    'tls.caCertificates: Conflict: credentialName names a secret with all of it',
  ]);
  assert.deepEqual(ofPolicy({ tls: { mode: 'SIMPLE', insecureSkipVerify: true, subjectAltNames: ['a'] } }), [
    'tls.subjectAltNames: Conflict: insecureSkipVerify is set, so nothing is checked',
  ]);
});

test('a cookie that is made has no attribute that would end it', () => {
  const cookie = (more: object): string[] =>
    ofPolicy({ loadBalancer: { consistentHash: { httpCookie: { name: 'user', ...more } } } });
  assert.deepEqual(cookie({ path: '/a', attributes: [{ name: 'SameSite', value: 'Strict' }, { name: 'Secure' }] }), []);
  assert.deepEqual(cookie({ path: '/; Domain=x', attributes: [{ name: 'a b' }, { name: 'c', value: 'd\r\ne' }] }), [
    'loadBalancer.consistentHash.httpCookie.path: Invalid value: "/; Domain=x": holds a character that cookies cannot have',
    'loadBalancer.consistentHash.httpCookie.attributes[0].name: Invalid value: "a b": not a valid name of a header field',
    'loadBalancer.consistentHash.httpCookie.attributes[1].value: Invalid value: "d\\r\\ne": holds a character that cookies cannot have',
  ]);
});

test('pools, outlier detection, hashing and warm-up are judged field by field', () => {
  assert.deepEqual(
    ofPolicy({
      connectionPool: { http: { maxRetries: -1, h2UpgradePolicy: 'UPGRADE', useClientProtocol: true } },
      outlierDetection: { maxEjectionPercent: 101, consecutiveLocalOriginFailures: 3, interval: '0s' },
      loadBalancer: {
        consistentHash: { maglev: { tableSize: 10 } },
        warmup: { duration: '1s', aggression: 0.5 },
      },
      portLevelSettings: [{ port: { number: 1 } }, { port: { number: 1 }, tls: {} }, { tls: {} }],
      tunnel: { protocol: 'GET', targetHost: '*.a.com', targetPort: 0 },
      retryBudget: { budgetInterval: 'x' },
    }),
    [
      'connectionPool.http.maxRetries: Invalid value: -1: must not be negative',
      'connectionPool.http.useClientProtocol: Conflict: h2UpgradePolicy is UPGRADE',
      'loadBalancer.consistentHash: Required value: nothing to hash is named',
      'loadBalancer.consistentHash.maglev.tableSize: Invalid value: 10: not the size of a Maglev table',
      'loadBalancer.warmup.aggression: Invalid value: 0.5: must be at least 1',
      'outlierDetection.interval: Invalid value: "0s": must be a valid duration greater than 1ms',
      'outlierDetection.maxEjectionPercent: Invalid value: 101: not a percentage',
      'outlierDetection.consecutiveLocalOriginFailures: Conflict: failures to connect are not counted apart, since splitExternalLocalOriginErrors is false',
      'portLevelSettings[0]: Required value: nothing is set for the port',
      'portLevelSettings[1].port.number: Duplicate value: 1 is there more than once',
      'portLevelSettings[2].port.number: Required value: the port is missing',
      'tunnel.protocol: Unsupported value: "GET" is not one of CONNECT, POST',
      'tunnel.targetHost: Invalid value: "*.a.com": neither an IP address nor a host name',
      'tunnel.targetPort: Invalid value: 0: port must be between 1-65535',
      'retryBudget.budgetInterval: Invalid value: "x": must be a valid duration greater than 1ms',
    ],
  );
});

test('shares among localities sum up to 100 and do not overlap', () => {
  const ofLocality = (localityLbSetting: object): string[] =>
    ofPolicy({ loadBalancer: { localityLbSetting } }).map((line) =>
      line.replace('loadBalancer.localityLbSetting.', ''),
    );
  assert.deepEqual(
    ofLocality({
      distribute: [
        { from: 'us/*', to: { 'us/*': 70, 'us/a': 20 } },
        { from: 'us/a/b', to: { eu: 100 } },
        { from: '*/a', to: { 'a/b/c/d': 100 } },
      ],
      failover: [{ from: 'us', to: 'us' }],
    }),
    [
      'failover: Conflict: distribute is set as well',
      'distribute: Conflict: us/a/b and us/* overlap',
      'distribute: Conflict: */a and us/* overlap',
      'distribute[0].to: Conflict: us/a and us/* overlap',
      'distribute[0].to: Invalid value: the shares sum up to 90',
      'distribute[2].from: Invalid value: "*/a": not a locality',
      'distribute[2].to[a/b/c/d]: Invalid value: "a/b/c/d": not a locality',
      'failover[0].to: Conflict: us cannot take over from itself',
    ],
  );
  const many = Array.from({ length: localitiesMax + 1 }, (_, index) => ({ from: `r${index}`, to: { eu: 100 } }));
  assert.deepEqual(ofLocality({ distribute: many }), [
    'distribute: Too long: there are 257 localities, at most 256 are allowed',
  ]);
});
