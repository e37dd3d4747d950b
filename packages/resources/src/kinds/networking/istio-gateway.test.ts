import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeViolation } from '../../describe-violation.ts';
import { validateObject, warningsFor } from '../../validate-object.ts';

function judge(spec: object): ReturnType<typeof validateObject> {
  return validateObject({ apiVersion: 'networking.istio.io/v1', kind: 'Gateway', metadata: { name: 'a' }, spec });
}

const problems = (spec: object): string[] => (judge(spec).violations ?? []).map(describeViolation);

const server = (protocol: string, rest: object = {}) => ({
  port: { number: 443, name: 'a', protocol },
  hosts: ['*'],
  ...rest,
});

const ofServer = (protocol: string, rest: object = {}): string[] =>
  problems({ servers: [server(protocol, rest)] }).map((line) => line.replace('spec.servers[0].', ''));

test('what Istio users write is accepted', () => {
  for (const each of [
    server('HTTP', { tls: { httpsRedirect: true } }),
    server('HTTPS', { tls: { mode: 'SIMPLE', credentialName: 'shop' }, hosts: ['shop.example.com', 'shop/*.b.com'] }),
    server('HTTPS', { tls: { mode: 'MUTUAL', serverCertificate: '/a', privateKey: '/b', caCertificates: '/c' } }),
    server('HTTPS', { tls: { mode: 'MUTUAL', credentialNames: ['rsa', 'ecdsa'] } }),
    server('TLS', { tls: { mode: 'PASSTHROUGH' }, hosts: ['./a.com', '*/b.com'] }),
    server('TLS', { tls: { mode: 'AUTO_PASSTHROUGH' }, hosts: ['*.local'] }),
    server('HTTPS', { tls: { mode: 'ISTIO_MUTUAL', minProtocolVersion: 'TLSV1_2', maxProtocolVersion: 'TLSV1_3' } }),
    server('TCP', { bind: '10.0.0.1' }),
    server('http', { bind: 'unix:///run/gateway', port: { number: 0, name: 'a', protocol: 'http' } }),
  ]) {
    assert.deepEqual(problems({ selector: { istio: 'ingressgateway' }, servers: [each] }), [], JSON.stringify(each));
  }
});

test('a gateway has servers, and a server a port, hosts and a place', () => {
  assert.deepEqual(problems({ selector: { 'a b': 'c' } }), [
    'spec.servers: Required value: a gateway has at least one server',
    'spec.selector[a b]: Invalid value: "a b": not a valid label key',
  ]);
  assert.deepEqual(
    problems({
      servers: [
        { port: { number: 0, name: '', protocol: '' }, hosts: [], bind: 'here' },
        {
          port: { number: 80, name: 'a', protocol: 'SPDY' },
          hosts: ['a_.com', 'a_.com', 'N/b.com', 'n/'],
          bind: 'unix://a',
        },
        { port: { number: 81, name: 'a', protocol: 'HTTP' }, hosts: ['a.*.com'] },
      ],
    }),
    [
      'spec.servers[0].port.name: Required value: the port has no name',
      'spec.servers[0].port.protocol: Required value: the port has no protocol',
      'spec.servers[0].port.number: Invalid value: 0: port must be between 1-65535',
      'spec.servers[0].bind: Invalid value: "here": neither an IP address nor a Unix socket',
      'spec.servers[0].hosts: Required value: the server has no host',
      'spec.servers[1].port.protocol: Unsupported value: "SPDY" is not one of HTTP, HTTP2, HTTP_PROXY, GRPC, GRPC-WEB, HTTPS, TLS, TCP, UDP, MONGO, REDIS, MYSQL',
      'spec.servers[1].bind: Invalid value: "unix://a": UDS must be an absolute path or abstract socket',
      'spec.servers[1].hosts[2]: Invalid value: "N/b.com": not a namespace before the slash',
      'spec.servers[1].hosts[3]: Invalid value: "n/": not a valid host name',
      'spec.servers[2].port.name: Duplicate value: "a" is there more than once',
      'spec.servers[2].hosts[0]: Invalid value: "a.*.com": not a valid host name',
    ],
  );
});

test('TLS is where the protocol has it, with what its mode needs and nothing else', () => {
  assert.deepEqual(ofServer('HTTPS'), ['tls: Required value: a server of protocol HTTPS needs TLS settings']);
  assert.deepEqual(ofServer('HTTP', { tls: { mode: 'SIMPLE', credentialName: 'a' } }), [
    'tls: Forbidden: a server of protocol HTTP has no TLS, only httpsRedirect',
  ]);
  assert.deepEqual(ofServer('HTTP', { tls: { privateKey: '/a' } }), [
    'tls: Forbidden: a server of protocol HTTP has no TLS, only httpsRedirect',
  ]);
  assert.deepEqual(ofServer('TCP', { tls: { mode: 'SIMPLE', credentialName: 'a' } }), [
    'tls: Forbidden: a server of protocol TCP has no TLS',
  ]);
  assert.deepEqual(ofServer('HTTPS', { tls: { mode: 'SIMPLE' } }), [
    'tls.serverCertificate: Required value: mode SIMPLE needs it',
    'tls.privateKey: Required value: mode SIMPLE needs it',
  ]);
  assert.deepEqual(ofServer('HTTPS', { tls: { mode: 'OPTIONAL_MUTUAL', tlsCertificates: [{ privateKey: '/a' }] } }), [
    'tls.tlsCertificates[0].serverCertificate: Required value: mode OPTIONAL_MUTUAL needs it',
    'tls.caCertificates: Required value: mode OPTIONAL_MUTUAL needs it, to check clients by',
  ]);
  assert.deepEqual(ofServer('HTTPS', { tls: { mode: 'ISTIO_MUTUAL', credentialName: 'a', tlsCertificates: [{}] } }), [
    'tls.credentialName: Forbidden: mode ISTIO_MUTUAL uses the certificates of the mesh',
    'tls.tlsCertificates: Forbidden: mode ISTIO_MUTUAL uses the certificates of the mesh',
  ]);
  assert.deepEqual(
    ofServer('HTTPS', {
      tls: {
        mode: 'SIMPLE',
        credentialName: 'a',
        minProtocolVersion: 'TLSV1_3',
        maxProtocolVersion: 'TLSV1_2',
        verifyCertificateSpki: ['abc', `${'A'.repeat(43)}=`],
        verifyCertificateHash: ['zz', 'ab'.repeat(32), Array(32).fill('AB').join(':')],
      },
    }),
    [
      'tls.verifyCertificateSpki[0]: Invalid value: "abc": not a SHA-256 hash',
      'tls.verifyCertificateHash[0]: Invalid value: "zz": not a SHA-256 hash',
      'tls.maxProtocolVersion: Conflict: older than minProtocolVersion TLSV1_3',
    ],
  );
});

test('what a gateway can hardly mean is warned of', () => {
  const { object } = judge({
    servers: [
      server('TLS', { tls: { mode: 'PASSTHROUGH', credentialName: 'a', cipherSuites: ['b', 'c', 'b'] } }),
      server('HTTP', { port: { number: 443, name: 'b', protocol: 'HTTP', targetPort: 1 } }),
      server('HTTPS', {
        port: { number: 444, name: 'c', protocol: 'HTTPS' },
        hosts: ['a.com', 'a.com'],
        tls: { httpsRedirect: true, mode: 'SIMPLE', credentialName: 'a' },
      }),
    ],
  });
  assert.ok(object);
  assert.deepEqual(warningsFor(object).map(describeViolation), [
    'spec.servers[0].tls.credentialName: Forbidden: TLS that is passed through needs no certificate',
    'spec.servers[0].tls.cipherSuites[2]: Duplicate value: "b" is there more than once',
    'spec.servers[1].port.protocol: Conflict: server a speaks TLS on the same port, which does not go together',
    'spec.servers[1].port.targetPort: Forbidden: the field is deprecated and does nothing',
    'spec.servers[2].tls.httpsRedirect: Forbidden: only requests in the clear are redirected to HTTPS',
    'spec.servers[2].hosts[1]: Duplicate value: "a.com" is there more than once',
  ]);
});
