import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Service, validateObject } from '@weft/resources';
import { commandEnvironment, sidecarEnvironment } from './child-environment.ts';
import { parsePort, parseProtocol, parseUnixSocket, parseUpstream, requireLabel, upstreamVariable } from './flags.ts';
import { proxyObject, serviceObject, workloadEntryObject } from './objects.ts';
import { servedPort } from './served-port.ts';
import type { WorkloadPorts, WorkloadSpec } from './workload-spec.ts';

const spec: WorkloadSpec = {
  namespace: 'default',
  name: 'reviews-v1',
  service: 'reviews',
  version: 'v1',
  serviceAccount: 'reviews',
  protocol: undefined,
  port: { servicePort: undefined, appPort: undefined },
  upstreams: [],
  engine: 'weft',
  command: ['true'],
  cwd: '/',
  env: { CACHE_ADDR: '$WEFT_UPSTREAM_CACHE', NOTHING: 'a$UNSET-b' },
  labels: {},
};
const ports: WorkloadPorts = {
  app: 4000,
  inbound: 4001,
  httpProxy: 4002,
  admin: 4003,
  upstreams: [{ host: 'cache', port: 7000, localPort: 4004 }],
};

function service(...servicePorts: readonly object[]): Service {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name: 'reviews' }, spec: { ports: servicePorts } } as Service;
}

test('upstreams are read as NAME[:PORT][=LOCALPORT]', () => {
  assert.deepEqual(parseUpstream('cache'), { host: 'cache', port: undefined, localPort: undefined });
  assert.deepEqual(parseUpstream('cache.db:7000=9000'), { host: 'cache.db', port: 7000, localPort: 9000 });
  for (const wrong of ['', ':80', 'a:b', 'A', 'a:0', 'a:65536', 'a=0', 'a:1=99999', 'a b']) {
    assert.throws(() => parseUpstream(wrong), { name: 'CliFailure' }, wrong);
  }
});

test('ports are read as [SERVICEPORT:]PORT, where 0 is any free one', () => {
  assert.deepEqual(parsePort('8080'), { servicePort: undefined, appPort: 8080 });
  assert.deepEqual(parsePort('80:0'), { servicePort: 80, appPort: undefined });
  assert.deepEqual(parsePort('80:unix:/run/a.sock'), { servicePort: 80, appPort: undefined, socket: '/run/a.sock' });
  assert.deepEqual(parsePort('unix:/a'), { servicePort: undefined, appPort: undefined, socket: '/a' });
  assert.throws(() => parsePort('unix:a.sock'), /not an absolute path/);
  assert.throws(() => parsePort(`unix:/${'x'.repeat(107)}`), /not an absolute path/);
  assert.equal(parseUnixSocket('/run/a.sock'), '/run/a.sock');
  assert.throws(() => parseUnixSocket('unix:///run/a.sock'), /--unix-socket: .* is not an absolute path/);
  for (const wrong of ['', 'x', '80:', ':80', '0:80', '70000', '-1']) {
    assert.throws(() => parsePort(wrong), { name: 'CliFailure' }, wrong);
  }
});

test('names and protocols that cannot be are refused', () => {
  assert.equal(requireLabel('--service', 'a-1'), 'a-1');
  for (const wrong of ['', 'A', '-a', 'a.b', 'a'.repeat(64)]) {
    assert.throws(() => requireLabel('--service', wrong), { name: 'CliFailure' });
  }
  assert.throws(() => parseProtocol('udp'), { name: 'CliFailure' });
  assert.equal(upstreamVariable('my-cache.db'), 'WEFT_UPSTREAM_MY_CACHE_DB');
});

test('the port that is served comes from the existing Service, or from the flags for a new one', () => {
  assert.deepEqual(servedPort(spec, 'reviews', undefined), { name: 'http', port: 80, protocol: 'http' });
  assert.deepEqual(servedPort(spec, 'reviews', service({ name: 'grpc-api', port: 9090 })), {
    name: 'grpc-api',
    port: 9090,
    protocol: 'grpc',
  });
  const two = service({ name: 'http', port: 80 }, { name: 'raw', port: 81, appProtocol: 'tcp' });
  assert.throws(() => servedPort(spec, 'reviews', two), /several ports/);
  assert.equal(servedPort({ ...spec, protocol: 'tcp' }, 'reviews', two).port, 81);
  assert.equal(servedPort({ ...spec, port: { servicePort: 80, appPort: 1 } }, 'reviews', two).name, 'http');
  assert.throws(() => servedPort({ ...spec, protocol: 'grpc' }, 'reviews', two), /no port that fits/);
  for (const [port, protocol] of [
    [{ name: 'web', port: 80 }, 'auto'],
    [{ name: 'grpc-api', port: 80 }, 'grpc'],
    [{ name: 'grpc-web-ui', port: 80 }, 'grpc-web'],
    [{ name: 'http', port: 80, appProtocol: 'kubernetes.io/h2c' }, 'http2'],
  ] as const) {
    assert.equal(servedPort(spec, 'reviews', service(port)).protocol, protocol);
  }
  const auto = servedPort(
    { ...spec, protocol: 'auto', port: { servicePort: 9000, appPort: undefined } },
    'x',
    undefined,
  );
  assert.deepEqual(serviceObject(spec, 'x', auto).spec?.ports, [{ name: 'auto', port: 9000, protocol: 'TCP' }]);
  assert.throws(() => servedPort({ ...spec, protocol: 'tcp' }, 'cache', undefined), /port is not known/);
});

test('every object that a workload registers is valid', () => {
  const served = { name: 'http', port: 80, protocol: 'http' } as const;
  for (const object of [
    serviceObject(spec, 'reviews', served),
    workloadEntryObject(spec, ports, served),
    proxyObject({ ...spec, unixSockets: ['/run/a.sock'] }, ports, served, true),
    workloadEntryObject({ ...spec, service: undefined }, { ...ports, inbound: undefined }, undefined),
    proxyObject({ ...spec, service: undefined }, { ...ports, app: undefined, inbound: undefined }, undefined, false),
  ]) {
    assert.deepEqual(validateObject(object).violations, undefined);
  }
});

test('the command sees its port, the proxy, its upstreams, and nothing of the proxy settings around Weft', () => {
  const around = { PATH: '/bin', HTTPS_PROXY: 'http://corporate', no_proxy: 'localhost, intranet' };
  const env = commandEnvironment(spec, ports, around, '/run/grpc-bootstrap.json');
  assert.equal(env['PORT'], '4000');
  assert.equal(env['http_proxy'], 'http://127.0.0.1:4002');
  assert.equal(env['no_proxy'], 'localhost,127.0.0.1,::1,intranet');
  assert.equal(env['NODE_USE_ENV_PROXY'], '1');
  assert.equal(env['WEFT_UPSTREAM_CACHE'], '127.0.0.1:4004');
  assert.equal(env['CACHE_ADDR'], '127.0.0.1:4004');
  assert.equal(env['NOTHING'], 'a-b');
  assert.equal(env['HTTPS_PROXY'], undefined);
  assert.equal(env['GRPC_XDS_BOOTSTRAP'], undefined);
  const proxyless = commandEnvironment({ ...spec, engine: 'grpc' }, ports, around, '/run/grpc-bootstrap.json');
  assert.equal(proxyless['GRPC_XDS_BOOTSTRAP'], '/run/grpc-bootstrap.json');
  assert.equal(proxyless['http_proxy'], undefined);
  assert.deepEqual(sidecarEnvironment({ http_proxy: 'x', ALL_PROXY: 'y', no_grpc_proxy: 'z', A: 'b' }), { A: 'b' });
});
