import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeViolation } from '../../describe-violation.ts';
import { validateObject, warningsFor } from '../../validate-object.ts';

function judge(spec: object, kind = 'Sidecar', version = 'v1'): ReturnType<typeof validateObject> {
  return validateObject({ apiVersion: `networking.istio.io/${version}`, kind, metadata: { name: 'a' }, spec });
}

const problems = (spec: object): string[] => (judge(spec).violations ?? []).map(describeViolation);

const port = { number: 9080, protocol: 'HTTP', name: 'http' };

test('what Istio users write is accepted', () => {
  for (const spec of [
    { egress: [{ hosts: ['./*', 'istio-system/*', '*/*.example.com'] }] },
    { egress: [{ hosts: ['~/*'] }] },
    {
      workloadSelector: { labels: { app: 'ratings' } },
      ingress: [{ port, defaultEndpoint: 'unix:///run/ratings', captureMode: 'NONE' }],
      egress: [
        { port: { number: 9080, protocol: 'HTTP' }, bind: '127.0.0.1', hosts: ['shop/*'] },
        { port: { number: 0, protocol: 'TCP' }, bind: 'unix:///run/db', captureMode: 'NONE', hosts: ['./db.local'] },
        { hosts: ['*/*'] },
      ],
    },
    {
      ingress: [
        { port: { ...port, protocol: 'HTTPS' }, tls: { mode: 'SIMPLE', serverCertificate: '/a', privateKey: '/b' } },
      ],
    },
    { outboundTrafficPolicy: { mode: 'REGISTRY_ONLY' } },
    { outboundTrafficPolicy: { mode: 'ALLOW_ANY', egressProxy: { host: 'egress.a.svc', port: { number: 80 } } } },
    { inboundConnectionPool: { http: { http1MaxPendingRequests: 10 } } },
  ]) {
    assert.deepEqual(problems(spec), [], JSON.stringify(spec));
  }
});

test('a sidecar configures something', () => {
  assert.deepEqual(problems({ workloadSelector: { labels: { app: 'a*' } } }), [
    'spec: Required value: nothing is configured',
    'spec.workloadSelector.labels.app: Invalid value: "a*": wildcard is not supported in selector',
  ]);
});

test('listeners for the workload are at ports of their own and lead to it', () => {
  assert.deepEqual(
    problems({
      ingress: [
        { port, defaultEndpoint: 'example.com:80', bind: 'unix:///a' },
        { port: { ...port, protocol: 'SPDY' }, defaultEndpoint: '127.0.0.1:0' },
        { port: {}, connectionPool: {} },
        {
          port: { ...port, number: 9081 },
          tls: { mode: 'ISTIO_MUTUAL', httpsRedirect: true, credentialName: 'a', subjectAltNames: ['b'] },
        },
      ],
    }),
    [
      'spec.ingress[0].bind: Invalid value: "unix:///a": not an IP address',
      'spec.ingress[0].defaultEndpoint: Invalid value: "example.com:80": not an address of the workload',
      'spec.ingress[1].port.protocol: Unsupported value: "SPDY" is not one of HTTP, HTTP2, HTTP_PROXY, GRPC, GRPC-WEB, HTTPS, TLS, TCP, UDP, MONGO, REDIS, MYSQL',
      'spec.ingress[1].port.number: Duplicate value: 9080 is there more than once',
      'spec.ingress[1].defaultEndpoint: Invalid value: "127.0.0.1:0": not an address of the workload',
      'spec.ingress[2].port.protocol: Required value: the port has no protocol',
      'spec.ingress[2].port.number: Required value: the port has no number',
      'spec.ingress[2].connectionPool: Required value: connectionPool has neither tcp nor http',
      'spec.ingress[3].tls: Forbidden: a listener of protocol HTTP has no TLS',
      'spec.ingress[3].tls.mode: Invalid value: "ISTIO_MUTUAL": not for sidecars',
      'spec.ingress[3].tls.httpsRedirect: Forbidden: sidecars do not redirect',
      'spec.ingress[3].tls.credentialName: Forbidden: it is for gateways',
      'spec.ingress[3].tls.subjectAltNames: Forbidden: it is for gateways',
      'spec.ingress[3].tls.credentialName: Forbidden: mode ISTIO_MUTUAL uses the certificates of the mesh',
    ],
  );
});

test('what the workload reaches is named with its namespaces, and only the last listener has no port', () => {
  assert.deepEqual(
    problems({
      egress: [
        { hosts: ['a.com', 'B/a.com', 'a/b_*', '~/*', 'x/*', 'x/*'] },
        { port: { number: 80, protocol: 'HTTP' }, hosts: [] },
        { port: { number: 80, protocol: 'TCP' }, bind: 'host', hosts: ['*/*'] },
        { port: { number: 0, protocol: 'TCP' }, bind: 'unix:///a', captureMode: 'IPTABLES', hosts: ['*/*'] },
        { port: { protocol: 'TCP' }, bind: 'unix:///a', hosts: ['*/*'] },
        { port: { number: 0, protocol: 'TCP' }, hosts: ['*/*'] },
      ],
    }),
    [
      'spec.egress[0].port: Required value: only the last listener may be without: it takes what is left',
      'spec.egress[0].hosts[0]: Invalid value: "a.com": not of the form namespace/host',
      'spec.egress[0].hosts[1]: Invalid value: "B/a.com": not a namespace before the slash',
      'spec.egress[0].hosts[2]: Invalid value: "a/b_*": not a valid host name',
      'spec.egress[1].hosts: Required value: the listener reaches nothing',
      'spec.egress[2].bind: Invalid value: "host": not an IP address',
      'spec.egress[2].port.number: Duplicate value: 80 is there more than once',
      'spec.egress[3].captureMode: Invalid value: "IPTABLES": a Unix socket is not intercepted',
      'spec.egress[4].bind: Duplicate value: "unix:///a" is there more than once',
      'spec.egress[5].port.number: Invalid value: 0: port must be between 1-65535',
    ],
  );
});

test('unknown hosts go to a gateway only where they go anywhere', () => {
  assert.deepEqual(problems({ outboundTrafficPolicy: { mode: 'REGISTRY_ONLY', egressProxy: { host: 'e gress' } } }), [
    'spec.outboundTrafficPolicy.egressProxy: Forbidden: without mode ALLOW_ANY there is nothing to send on',
    'spec.outboundTrafficPolicy.egressProxy.host: Invalid value: "e gress": not a host name',
    'spec.outboundTrafficPolicy.egressProxy.port.number: Required value: the port is missing',
  ]);
});

test('hosts that another entry covers, and fields that do nothing, are warned of', () => {
  const { object } = judge({
    ingress: [{ port: { ...port, targetPort: 1 } }],
    egress: [
      {
        port: { ...port, targetPort: 1 },
        hosts: ['a/b.com', 'a/*.com', 'c/b.com', '*/b.com', './d.com', '~/x.org', './d.com'],
      },
    ],
  });
  assert.ok(object);
  assert.deepEqual(warningsFor(object).map(describeViolation), [
    'spec.egress[0].hosts[6]: Duplicate value: "./d.com" is there more than once',
    'spec.egress[0].hosts[0]: Conflict: a/*.com covers it already',
    'spec.egress[0].hosts[2]: Conflict: */b.com covers it already',
    'spec.egress[0].hosts[5]: Conflict: `~` (nothing) stands beside other hosts, which count',
    'spec.egress[0].port.targetPort: Forbidden: the field does nothing in a Sidecar',
    'spec.ingress[0].port.targetPort: Forbidden: the field does nothing in a Sidecar',
  ]);
});

test('a ProxyConfig has a number of threads, and variables that a process can have', () => {
  const spec = {
    concurrency: -1,
    selector: { matchLabels: { app: '*' } },
    environmentVariables: { 'A=B': 'c', OK: 'a\0b', LONG: 'x'.repeat(2049) },
  };
  assert.deepEqual((judge(spec, 'ProxyConfig', 'v1beta1').violations ?? []).map(describeViolation), [
    'spec.concurrency: Invalid value: -1 should be greater than or equal to 0',
    'spec.environmentVariables.LONG: Too long: has 2049 characters, at most 2048 are allowed',
    'spec.selector.matchLabels.app: Invalid value: "*": wildcard not allowed in label value match',
    'spec.environmentVariables[A=B]: Invalid value: "A=B": not the name of an environment variable',
    'spec.environmentVariables.OK: Invalid value: "a\\u0000b": an environment variable has no zero byte',
  ]);
  assert.ok(judge({ concurrency: null, image: { imageType: 'distroless' } }, 'ProxyConfig', 'v1beta1').object);
});
