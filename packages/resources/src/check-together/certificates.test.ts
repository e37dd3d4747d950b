import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findingsOf, object } from './test-support.ts';

const secret = object('Secret', 'cert', undefined);

test('certificates of listeners that are in none of the files, where the files hold Secrets', () => {
  const gateway = (ref: object): string =>
    object('KubeGateway', 'far/edge', {
      gatewayClassName: 'weft',
      listeners: [{ name: 'web', port: 443, protocol: 'HTTPS', tls: { certificateRefs: [ref] } }],
    });
  const path = 'spec.listeners[0].tls.certificateRefs[0]';
  assert.deepEqual(findingsOf([gateway({ name: 'cert' })]), []);
  assert.deepEqual(findingsOf([secret, gateway({ name: 'cert' })]), [
    `edge ${path}.name: "cert": Secret far/cert is in none of these files`,
  ]);
  assert.deepEqual(findingsOf([secret, gateway({ name: 'cert', namespace: 'shop' })]), [
    `edge ${path}.namespace: no ReferenceGrant of these files lets Gateways of far refer to Secret shop/cert`,
  ]);
  const istio = object('Gateway', 'edge', {
    servers: [
      {
        port: { number: 443, name: 'https', protocol: 'HTTPS' },
        hosts: ['*'],
        tls: { mode: 'SIMPLE', credentialName: 'crt' },
      },
    ],
  });
  assert.deepEqual(findingsOf([secret, istio]), [
    'edge spec.servers[0].tls.credentialName: "crt": no Secret of these files has the name',
  ]);
});
