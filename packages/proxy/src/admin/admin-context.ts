import type { LogLevel } from '@weft/base';
import type { XdsClientState } from '@weft/xds-client';
import type { Bootstrap } from '../bootstrap/bootstrap.ts';
import type { DataPlane } from '../data-plane.ts';
import type { IdentityStatus } from '../identity/workload-identity.ts';

/** Where the proxy is in its life, in Envoy's words. */
export type ServerState = 'PRE_INITIALIZING' | 'INITIALIZING' | 'LIVE' | 'DRAINING';

/** What the admin API shows and does; made by the process, so that the API knows nothing of the wiring. */
export interface AdminContext {
  readonly bootstrap: Bootstrap;
  readonly version: string;
  readonly dataPlane: DataPlane;
  state(): ServerState;
  /** undefined: the proxy has no control plane. */
  xdsState(): XdsClientState | undefined;
  identityStatus(): IdentityStatus | undefined;
  /** Roots in use, PEM; empty without an identity. */
  trustBundlePem(): string;
  metricsText(): string;
  logLevel(): LogLevel;
  setLogLevel(level: LogLevel): void;
  reopenLogs(): void;
  /** Resolves when inbound connections are gone or the time is over. */
  drainInbound(): Promise<void>;
  /** Drains everything and ends the process. */
  quit(): void;
}
