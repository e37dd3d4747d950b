import { chance, get, type MeshCase, oneOf } from './support/configuration.ts';
import { fromOutside } from './support/from-outside.ts';
import { compareCalled } from './support/run.ts';

/** Where workloads are called: what the control plane has the sidecar of each engine do for callers in the clear. */

const open = `
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default}
spec: {mtls: {mode: PERMISSIVE}}`;

const generate =
  (host: string): MeshCase['generate'] =>
  (random) => {
    const path = oneOf(random, ['/', '/a', '/a/../b', '//x', '/a%2Fb', '/q?x=/../y', '/long/'.repeat(20)]);
    const status = chance(random, 0.3)
      ? ([['x-backend-status', oneOf(random, ['201', '404', '500', '503'])]] as const)
      : [];
    const request = get(
      path,
      [
        ...fromOutside(random),
        ...status,
        ...(chance(random, 0.3) ? ([['x-backend-headers', 'server:mine|x-a:b']] as const) : []),
      ],
      oneOf(random, [host, `${host}:80`, 'other.example', '127.0.0.1']),
    );
    const method = oneOf(random, ['GET', 'GET', 'HEAD', 'POST', 'PUT', 'DELETE']);
    return method === 'POST' || method === 'PUT'
      ? { ...request, method, body: 'b'.repeat(Math.floor(random() * 5_000)) }
      : { ...request, method };
  };

const http: MeshCase = {
  name: 'called-http',
  services: { plain: ['v1'] },
  manifest: open,
  generate: generate('plain-called'),
};

const sniffed: MeshCase = {
  name: 'called-auto',
  services: { sniffed: ['v1'] },
  protocol: 'auto',
  manifest: '',
  generate: generate('sniffed-called'),
};

/** Of HTTP/2 the application speaks nothing: it is declared to speak HTTP/1.1. */
const http2: MeshCase = {
  name: 'called-http2',
  services: { newer: ['v1'] },
  downstream: 'http2',
  manifest: '',
  generate: (random) => {
    const request = generate('newer-called')(random);
    return { ...request, headers: request.headers.filter(([name]) => name !== 'te') };
  },
};

compareCalled('workloads that are called', [http, sniffed, http2]);
