import assert from 'node:assert/strict';
import { validate, type WorkloadIr } from '@weft/ir';
import type { KubeObject } from '@weft/resources';
import { type GatewayApiStatus, gatewayApiStatus, MeshState, workloadIr } from '../../src/index.ts';
import { keyPairData } from '../golden/key-pair-data.ts';

type Metadata = Partial<KubeObject['metadata']>;

/** Makes objects of one namespace, all of the same age unless `metadata` says another. */
export interface ObjectMaker {
  object(apiVersion: string, kind: string, name: string, body: object, metadata?: Metadata): KubeObject;
  gatewayApi(kind: string, name: string, spec: object, metadata?: Metadata): KubeObject;
  istio(kind: string, name: string, spec: object, metadata?: Metadata): KubeObject;
  /** A Secret with a key pair. */
  keyPair(name: string): KubeObject;
  /** A Service whose port 80 is for HTTP. */
  service(name: string): KubeObject;
  /** The proxy of a Gateway, which also has `labels`. */
  gatewayProxy(name: string, gateway: string, labels?: Readonly<Record<string, string>>): readonly KubeObject[];
}

export function objectsOf(namespace: string): ObjectMaker {
  const object: ObjectMaker['object'] = (apiVersion, kind, name, body, metadata = {}) => {
    const usual = { name, namespace, generation: 1, creationTimestamp: '2026-01-01T00:00:00Z' };
    return { apiVersion, kind, metadata: { ...usual, ...metadata }, ...body } as KubeObject;
  };
  const istio: ObjectMaker['istio'] = (kind, name, spec, metadata) =>
    object('networking.istio.io/v1', kind, name, { spec }, metadata);
  return {
    object,
    istio,
    gatewayApi: (kind, name, spec, metadata) => object('gateway.networking.k8s.io/v1', kind, name, { spec }, metadata),
    keyPair: (name) => object('v1', 'Secret', name, { type: 'kubernetes.io/tls', data: keyPairData() }),
    service: (name) =>
      object('v1', 'Service', name, { spec: { selector: { app: name }, ports: [{ name: 'http', port: 80 }] } }),
    gatewayProxy: (name, gateway, labels = {}) => [
      object('weft.dev/v1alpha1', 'Proxy', name, { spec: { serviceAccount: name, role: 'gateway' } }),
      istio('WorkloadEntry', name, {
        address: '127.0.0.1',
        labels: { 'gateway.networking.k8s.io/gateway-name': gateway, ...labels },
        serviceAccount: name,
      }),
    ],
  };
}

export function stateOf(objects: readonly KubeObject[]): MeshState {
  const state = new MeshState();
  state.apply(objects.map((value) => ({ value })));
  return state;
}

/** What a proxy (`namespace/name`) is to have, which must be valid. */
export function irOf(state: MeshState, proxy: string, observed: readonly string[] = []): WorkloadIr {
  const ir = workloadIr(state, proxy, observed);
  assert.ok(ir !== undefined, proxy);
  assert.deepEqual(validate(ir), []);
  return ir;
}

/** The status of the object of a kind with this name. */
export function statusOf<K extends GatewayApiStatus['kind']>(
  state: MeshState,
  kind: K,
  name: string,
): Extract<GatewayApiStatus, { readonly kind: K }> {
  const found = [...gatewayApiStatus(state).values()].find((each) => each.kind === kind && each.origin.name === name);
  assert.ok(found !== undefined, `${kind} ${name}`);
  return found as Extract<GatewayApiStatus, { readonly kind: K }>;
}
