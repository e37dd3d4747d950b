import assert from 'node:assert/strict';
import { parseManifest } from '../manifest/parse-manifest.ts';
import { checkTogether } from './check-together.ts';
import type { InventoryOptions } from './inventory.ts';

const groups: Readonly<Record<string, string>> = {
  Service: 'v1',
  Secret: 'v1',
  PeerAuthentication: 'security.istio.io/v1',
  HTTPRoute: 'gateway.networking.k8s.io/v1',
  GRPCRoute: 'gateway.networking.k8s.io/v1',
  BackendTLSPolicy: 'gateway.networking.k8s.io/v1',
  EndpointPolicy: 'weft.dev/v1alpha1',
  RouteActionPolicy: 'weft.dev/v1alpha1',
  TLSRoute: 'gateway.networking.k8s.io/v1',
  ReferenceGrant: 'gateway.networking.k8s.io/v1beta1',
  ListenerSet: 'gateway.networking.k8s.io/v1',
  KubeGateway: 'gateway.networking.k8s.io/v1',
};

/** An object in namespace shop, if the name says no other. */
export function object(kind: string, name: string, spec: unknown): string {
  const [first = '', second] = name.split('/');
  const metadata = second === undefined ? { name: first, namespace: 'shop' } : { name: second, namespace: first };
  const apiVersion = groups[kind] ?? 'networking.istio.io/v1';
  const body = kind === 'Secret' ? { type: 'Opaque' } : { spec };
  return JSON.stringify({ apiVersion, kind: kind.replace('Kube', ''), metadata, ...body });
}

/** `name path: message` of all that is found when the objects, which must be valid, stand together. */
export function findingsOf(objects: readonly string[], options: InventoryOptions = {}): readonly string[] {
  const { objects: parsed, violations } = parseManifest(objects.join('\n---\n'));
  assert.deepEqual(violations ?? [], []);
  return checkTogether(
    (parsed ?? []).map((one) => one.object),
    options,
  ).map(({ object: of, violation }) => `${of.metadata.name} ${violation.path}: ${violation.message}`);
}

export const reviews = object('Service', 'reviews', {
  selector: { app: 'reviews' },
  ports: [{ name: 'http', port: 80 }],
});

export function workload(name: string, labels: Readonly<Record<string, string>>): string {
  return object('WorkloadEntry', name, { address: '127.0.0.1', labels });
}

export function to(host: string, more: object = {}): object {
  return { destination: { host, ...more } };
}
