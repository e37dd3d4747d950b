import type { PathNormalization } from '@weft/ir';
import type { DefaultsName } from './defaults.ts';

/** What translation depends on besides resources. Constant for the life of a `MeshState`. */
export interface MeshSettings {
  /** Trust domain of the mesh's identities. Default `cluster.local`. */
  readonly trustDomain: string;
  /** What service hosts end in. Default `cluster.local`. */
  readonly clusterDomain: string;
  /** Where policies for the whole mesh live. Default `weft-system`. */
  readonly rootNamespace: string;
  /** The cluster's name in metrics (`source_cluster`, `destination_cluster`). Default `Kubernetes`, as Istio's. */
  readonly clusterId: string;
  /** What is in force where no resource says anything. Default `istio`. */
  readonly defaults: DefaultsName;
  /** Default `base`. */
  readonly pathNormalization: PathNormalization;
  /** The file that a proxy writes its access log to; undefined (the default) = no access log. */
  readonly accessLogPath: (proxyKey: string) => string | undefined;
}

export const defaultMeshSettings: MeshSettings = {
  trustDomain: 'cluster.local',
  clusterDomain: 'cluster.local',
  rootNamespace: 'weft-system',
  clusterId: 'Kubernetes',
  defaults: 'istio',
  pathNormalization: 'base',
  accessLogPath: () => undefined,
};
