import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findingsOf, object } from './test-support.ts';

/** Until 2126, for a.example.com and *.wild.example.com. */
const certificate = `-----BEGIN CERTIFICATE-----
MIIBnTCCAUSgAwIBAgIUUs7hDRnuqG+BCPJ5oOpv65yfw7YwCgYIKoZIzj0EAwIw
DDEKMAgGA1UEAwwBYTAgFw0yNjExMjExNjUyMzdaGA8yMTI2MTAyODE2NTIzN1ow
DDEKMAgGA1UEAwwBYTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABMjArzAN86FB
YCRPi6DSLDPRYADjJ73Fxnrnv9SUcVUR9Go+HR0KKJCvnx7NWpIVI0Ou23+vBwNr
PvlHumrbmYCjgYEwfzAdBgNVHQ4EFgQUe0LuT+4p1Z4v0KlLS7EkykwvizowHwYD
VR0jBBgwFoAUe0LuT+4p1Z4v0KlLS7EkykwvizowDwYDVR0TAQH/BAUwAwEB/zAs
BgNVHREEJTAjgg1hLmV4YW1wbGUuY29tghIqLndpbGQuZXhhbXBsZS5jb20wCgYI
KoZIzj0EAwIDRwAwRAIgCppAarbBMyM+HjjTGwO4LcuH+noSA+kQ/Wp/Rl0rT+AC
IH+H2r3F38LL/PrsF63TCBNMDQDN/ZF+5s6zbAODQPBX
-----END CERTIFICATE-----
`;
const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQge3T+6cUwqHfCFQl4
0WaeoZmr+tjdp0le1vGQVKmMI7ChRANCAATIwK8wDfOhQWAkT4ug0iwz0WAA4ye9
xcZ657/UlHFVEfRqPh0dCiiQr58ezVqSFSNDrtt/rwcDaz75R7pq25mA
-----END PRIVATE KEY-----
`;
const otherKey = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgkSpT5B8X1pMveYi8
sZOa4/NFRf0padLAZ7MjvahwX8KhRANCAARnjge2jJHIBNCl54lTOdg45l3cbcYX
nilw6+LpORPFSVdoVHoTwDtUObL+bvnL+RyKFNuw0Ou/9no5+Q/XNbcw
-----END PRIVATE KEY-----
`;

function secret(
  data: Readonly<Record<string, string>>,
  as: 'data' | 'stringData' = 'data',
  type = 'kubernetes.io/tls',
): string {
  const encoded = Object.entries(data).map(([name, text]) => [name, Buffer.from(text).toString('base64')]);
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'pair', namespace: 'shop' },
    type,
    ...(as === 'data' ? { data: Object.fromEntries(encoded) } : { stringData: data }),
  });
}

const good = secret({ 'tls.crt': certificate, 'tls.key': key });

test('certificates and keys that cannot be shown to anybody', () => {
  assert.deepEqual(findingsOf([good], { nowMs: Date.parse('2026-01-01') }), []);
  assert.deepEqual(
    findingsOf([good], { nowMs: Date.parse('2226-01-01') }).map((line) => line.replace(/\d{4}-.*/, '…')),
    ['pair data[tls.crt]: the certificate has expired: on …'],
  );
  assert.deepEqual(findingsOf([secret({ 'tls.crt': certificate, 'tls.key': otherKey })]), [
    'pair data[tls.key]: not the key of the certificate in tls.crt',
  ]);
  assert.deepEqual(findingsOf([secret({ 'tls.crt': certificate, 'tls.key': 'secret text' }, 'stringData')]), [
    'pair stringData[tls.key]: not a private key in PEM',
  ]);
  const twice = Buffer.from(certificate).toString('base64');
  assert.deepEqual(findingsOf([secret({ 'tls.crt': twice, 'tls.key': key })]), [
    'pair data[tls.crt]: not a certificate in PEM',
  ]);
  const opaque = secret({ 'tls.crt': 'x', 'tls.key': 'y' }, 'data', 'Opaque');
  assert.deepEqual(findingsOf([opaque]), [], 'a Secret that nothing shows may hold anything');
});

const istio = (host: string): string =>
  object('Gateway', 'edge', {
    servers: [
      {
        port: { number: 443, name: 'https', protocol: 'HTTPS' },
        hosts: ['shop/a.example.com', host],
        tls: { mode: 'SIMPLE', credentialName: 'pair' },
      },
    ],
  });
const kube = (hostname: string): string =>
  object('KubeGateway', 'edge', {
    gatewayClassName: 'weft',
    listeners: [{ name: 'web', hostname, port: 443, protocol: 'HTTPS', tls: { certificateRefs: [{ name: 'pair' }] } }],
  });

test('names of listeners that no certificate of theirs is for', () => {
  for (const host of ['a.example.com', 'x.wild.example.com', '*.wild.example.com', '*.example.com', 'A.example.com']) {
    assert.deepEqual(
      findingsOf([good, istio(host), kube(host.toLowerCase())]).filter((line) => line.includes('not for')),
      [],
      host,
    );
  }
  for (const host of ['b.example.com', 'x.y.wild.example.com', '*.other.example.com']) {
    assert.deepEqual(
      findingsOf([good, istio(host), kube(host)]).filter((line) => line.includes('not for')),
      [
        `edge spec.servers[0].hosts[1]: "${host}": the certificate of Secret shop/pair is not for this name`,
        `edge spec.listeners[0].hostname: "${host}": the certificate of Secret shop/pair is not for this name`,
      ],
    );
  }
  const missing = findingsOf([secret({ 'tls.crt': certificate }, 'data', 'Opaque'), kube('a.example.com')]);
  assert.deepEqual(missing, ['pair data[tls.key]: a private key is missing, so listeners cannot show this Secret']);
});
