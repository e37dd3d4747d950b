import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeViolation } from '../../describe-violation.ts';
import { validateObject } from '../../validate-object.ts';

function problems(kind: string, spec: object): string[] {
  const object = { apiVersion: 'networking.istio.io/v1', kind, metadata: { name: 'a' }, spec };
  return (validateObject(object).violations ?? []).map(describeViolation);
}

test('the ways to name a service are accepted', () => {
  for (const spec of [
    { hosts: ['*.example.com'], location: 'MESH_EXTERNAL', ports: [{ number: 443, name: 'tls', protocol: 'TLS' }] },
    {
      hosts: ['a.com'],
      resolution: 'STATIC',
      ports: [{ number: 80, name: 'http' }],
      endpoints: [{ address: '1.1.1.1', ports: { http: 8080 } }],
    },
    { hosts: ['a.com'], resolution: 'STATIC', endpoints: [{ address: 'unix:///run/a' }] },
    { hosts: ['a.com', 'b.com'], resolution: 'DNS', ports: [{ number: 80, name: 'http', protocol: 'http' }] },
    { hosts: ['a.com'], resolution: 'STATIC', workloadSelector: { labels: { app: 'a' } }, exportTo: ['~'] },
    { hosts: ['*.a.com'], resolution: 'DYNAMIC_DNS' },
  ]) {
    assert.deepEqual(problems('ServiceEntry', spec), [], JSON.stringify(spec));
  }
});

test('a service entry is judged field by field', () => {
  assert.deepEqual(
    problems('ServiceEntry', {
      hosts: ['a.com', 'A.com', '1.2.3.4', '*.b.com'],
      addresses: ['1.2.3.4/99', '10.0.0.0/8'],
      resolution: 'DNS',
      ports: [
        { number: 80, name: 'A B', protocol: 'HTTP' },
        { number: 80, name: 'tcp', protocol: 'TCP' },
        { number: 81, name: 'x', protocol: 'SMTP' },
      ],
      exportTo: ['~', '*'],
    }),
    [
      'spec.hosts[1]: Duplicate value: "A.com" is there more than once',
      'spec.hosts[2]: Invalid value: "1.2.3.4": not a host name',
      'spec.hosts[3]: Invalid value: "*.b.com": hosts must be FQDN if no endpoints are provided for resolution mode DNS',
      'spec.addresses[0]: Invalid value: "1.2.3.4/99": neither an IP address nor a CIDR block',
      'spec.addresses[1]: Forbidden: CIDR addresses are allowed only for NONE/STATIC resolution types',
      'spec.ports[0].name: Invalid value: "A B": not a valid name',
      'spec.ports[1].number: Duplicate value: 80 is there more than once',
      'spec.ports[2].protocol: Unsupported value: "SMTP" is not one of HTTP, HTTP2, HTTP_PROXY, GRPC, GRPC-WEB, HTTPS, TLS, TCP, UDP, MONGO, REDIS, MYSQL',
      'spec.ports[1].protocol: Conflict: with several hosts only HTTP and TLS say which one is meant',
      'spec.ports[2].protocol: Conflict: with several hosts only HTTP and TLS say which one is meant',
      'spec.exportTo[0]: Conflict: `~` (nobody) excludes the other namespaces',
      'spec.exportTo: Conflict: `*` (all namespaces) stands beside others',
    ],
  );
});

test('endpoints refer to ports of the service and have addresses that fit the resolution', () => {
  assert.deepEqual(
    problems('ServiceEntry', {
      hosts: ['a.com'],
      resolution: 'STATIC',
      ports: [{ number: 80, name: 'http' }],
      endpoints: [{ address: 'b.com', ports: { grpc: 1 } }, { address: 'not valid' }],
    }),
    [
      'spec.endpoints[0].ports.grpc: Not found: "grpc": no port of this service entry has the name',
      'spec.endpoints[0].address: Invalid value: "b.com": STATIC mode needs addresses',
      'spec.endpoints[1].address: Invalid value: "not valid": neither an IP address nor a host name',
    ],
  );
  assert.deepEqual(
    problems('ServiceEntry', { hosts: ['a.com'], resolution: 'DNS', endpoints: [{ address: 'unix:///a' }] }),
    ['spec.endpoints[0].address: Invalid value: "unix:///a": DNS cannot resolve a socket'],
  );
});

test('a workload group is judged field by field; its template may leave the address out', () => {
  assert.deepEqual(problems('WorkloadGroup', { template: { ports: { http: 80 } } }), []);
  assert.deepEqual(
    problems('WorkloadGroup', {
      metadata: { labels: { 'a b': 'c' }, annotations: { 'a b': 'c' } },
      template: { serviceAccount: 'A B' },
      probe: { httpGet: { port: 80, path: 'x', scheme: 'FTP' }, exec: { command: [] }, grpc: {} },
    }),
    [
      'spec.metadata.labels[a b]: Invalid value: "a b": not a valid label key',
      'spec.metadata.annotations[a b]: Invalid value: "a b": not a valid annotation key',
      'spec.template.serviceAccount: Invalid value: "A B": not a valid name',
      'spec.probe.exec: Conflict: only one of httpGet, tcpSocket, exec, grpc can be set, and httpGet is',
      'spec.probe.grpc: Conflict: only one of httpGet, tcpSocket, exec, grpc can be set, and httpGet is',
      'spec.probe.httpGet.scheme: Invalid value: "FTP": scheme must be one of [HTTP, HTTPS]',
      'spec.probe.httpGet.path: Invalid value: "x": a path begins with /',
      'spec.probe.exec.command: Required value: the command is empty',
      'spec.probe.grpc.port: Required value: the port is missing',
    ],
  );
  assert.deepEqual(problems('WorkloadGroup', { template: {}, probe: {} }), [
    'spec.probe: Required value: the way to check is missing',
  ]);
});
