import type { LogLevel } from '@weft/base';
import type { PathNormalization } from '@weft/ir';
import type { DefaultsName } from '@weft/translate';

/** Everything that can be set about a control plane. */
export interface ControlPlaneConfig {
  /** The state folder. Default `WEFT_HOME`, else `~/.weft`. */
  readonly home: string;
  /** Address that all servers listen on. Default `127.0.0.1`. */
  readonly host: string;
  /** Ports; 0 takes any free one. */
  readonly ports: ControlPlanePorts;
  /** Default `cluster.local`. */
  readonly trustDomain: string;
  /** What is in force where no resource says anything. Absent: as the mesh had it before, at first `istio`. */
  readonly defaults?: DefaultsName;
  /** What becomes of paths before routes see them. Absent: as the mesh had it before, at first `base`. */
  readonly pathNormalization?: PathNormalization;
  /** Life of the certificates of workloads and servers, milliseconds. Default 24 h. */
  readonly certificateTtlMs: number;
  /** Default `info`. */
  readonly logLevel: LogLevel;
  /** Folder with the files of the first page; absent: the page has its data and no files. */
  readonly pageFolder?: string;
  /** Whom the kubeconfig is for. Default the user who runs the process. */
  readonly userName: string;
  /** After a start no proxy is held to be away for so long, milliseconds. Default 30,000. */
  readonly startGraceMs: number;
  /** A proxy whose stream ended is held to be away after this, milliseconds. Default 3,000. */
  readonly disconnectGraceMs: number;
  /** What a killed `weft run` left is removed after this, milliseconds. Default 300,000. */
  readonly leftoverAfterMs: number;
}

export interface ControlPlanePorts {
  /** Resource API and admin API. Default 7443. */
  readonly api: number;
  /** xDS and certificate renewal. Default 7012. */
  readonly xds: number;
  /** First certificate. Default 7011. */
  readonly join: number;
  /** First page. Default 7080. */
  readonly page: number;
}
