import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ControlPlaneEndpoints, JoinTokenResponse } from '@weft/admin-api';
import { workloadLabels } from './objects.ts';
import type { WorkloadPorts, WorkloadSpec } from './workload-spec.ts';

/** Files in the run folder of a workload. */
export interface RunFiles {
  readonly folder: string;
  readonly bootstrap: string;
  readonly token: string;
  readonly trustBundle: string;
  readonly log: string;
  /** Written by the agent of a workload without a proxy. */
  readonly grpcBootstrap: string;
}

export function runFiles(folder: string): RunFiles {
  return {
    folder,
    bootstrap: join(folder, 'bootstrap.json'),
    token: join(folder, 'join-token'),
    trustBundle: join(folder, 'trust-bundle.pem'),
    log: join(folder, 'proxy.log'),
    grpcBootstrap: join(folder, 'grpc-bootstrap.json'),
  };
}

/** Writes a file that only its owner can read, so that a reader never sees half of it. */
export function writePrivate(path: string, text: string): void {
  const temporary = `${path}.new`;
  writeFileSync(temporary, text, { mode: 0o600 });
  renameSync(temporary, path);
}

/**
 * Writes what a sidecar needs to start: who it is, where its control plane is, and the token for its first certificate.
 * @param locality of its WorkloadEntry, `region/zone/subzone`; undefined: not known.
 * @param concurrency worker threads of Envoy; undefined: its default.
 */
export function writeRunFiles(
  files: RunFiles,
  spec: WorkloadSpec,
  ports: WorkloadPorts,
  endpoints: ControlPlaneEndpoints,
  token: JoinTokenResponse,
  version: string,
  locality: string | undefined,
  concurrency: number | undefined,
): void {
  mkdirSync(files.folder, { recursive: true, mode: 0o700 });
  writePrivate(files.trustBundle, token.trustBundle);
  writePrivate(files.token, token.token);
  const labels = workloadLabels(spec);
  const [region, zone, subZone] = (locality ?? '').split('/').map((part) => (part === '' ? undefined : part));
  const bootstrap = {
    node: {
      id: `${spec.namespace}/${spec.name}`,
      cluster: `${labels['app'] ?? spec.name}.${spec.namespace}`,
      metadata: {
        NAME: spec.name,
        NAMESPACE: spec.namespace,
        SERVICE_ACCOUNT: spec.serviceAccount,
        LABELS: labels,
        WEFT_VERSION: version,
      },
      // What is not known is not written.
      ...(region === undefined ? {} : { locality: { region, zone, subZone } }),
    },
    // The control plane makes it where something is balanced by zone.
    localCluster: 'local_cluster',
    identity: {
      trustDomain: token.trustDomain,
      namespace: spec.namespace,
      serviceAccount: spec.serviceAccount,
      caAddress: endpoints.join,
      renewAddress: endpoints.xds,
      trustBundleFile: files.trustBundle,
      tokenFile: files.token,
    },
    xds: { address: endpoints.xds },
    admin: { address: '127.0.0.1', port: ports.admin },
    stateDir: files.folder,
    ...(concurrency === undefined ? {} : { concurrency }),
  };
  writePrivate(files.bootstrap, `${JSON.stringify(bootstrap, undefined, 2)}\n`);
}
