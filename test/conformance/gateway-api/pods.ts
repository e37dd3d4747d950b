import { randomBytes } from 'node:crypto';
import type { KubeObject } from '@weft/resources';
import type { Addresses } from './addresses.ts';
import { type Backend, startGrpcBackend, startHttpBackend, startTcpBackend } from './backends.ts';
import type { KeyPair } from './certificates.ts';
import type { Deployment } from './manifests.ts';

/** A backend that runs, and the object that makes it an endpoint of the Services that select its labels. */
export interface Pod extends Backend {
  readonly address: string;
  readonly entry: KubeObject;
  close(): Promise<void>;
}

/** Starts what a Deployment asks for, each pod at an address of its own; none for what no test sends to. */
export async function startPods(
  { metadata, spec }: Deployment,
  addresses: Addresses,
  secrets: ReadonlyMap<string, KeyPair>,
): Promise<readonly Pod[]> {
  const namespace = metadata.namespace ?? '';
  const { labels } = spec.template.metadata;
  const env = new Set(
    spec.template.spec.containers.flatMap((container) => (container.env ?? []).map(({ name }) => name)),
  );
  if (!env.has('POD_NAME')) {
    return [];
  }
  const secretName = spec.template.spec.volumes?.find(({ secret }) => secret !== undefined)?.secret?.secretName;
  const tls = secretName === undefined ? undefined : secrets.get(`${namespace}/${secretName}`);
  const template = randomBytes(4).toString('hex');
  return Promise.all(
    Array.from({ length: spec.replicas ?? 1 }, async (): Promise<Pod> => {
      const address = addresses.next();
      const backend: Backend = {
        pod: `${metadata.name}-${template}-${randomBytes(2).toString('hex')}`,
        namespace,
        paths: [],
      };
      const close = env.has('GRPC_ECHO_SERVER')
        ? await startGrpcBackend(backend, address)
        : env.has('TCP_ECHO_SERVER') && tls !== undefined
          ? await startTcpBackend(backend, address, tls)
          : await startHttpBackend(backend, address, tls);
      const entry = {
        apiVersion: 'networking.istio.io/v1',
        kind: 'WorkloadEntry',
        metadata: { namespace, name: backend.pod, labels },
        spec: { address, labels },
      } as KubeObject;
      return { ...backend, address, entry, close };
    }),
  );
}
