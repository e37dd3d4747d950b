import { type Clock, type Logger, MeshError, type Timer } from '@weft/base';
import { gvk, type ResourceClient } from '@weft/resources';
import type { MeshState } from '@weft/translate';
import type { ProxySessions } from './proxy-sessions.ts';

/** Label and value of what `weft run` makes and takes away again. */
const managedByLabel = 'weft.dev/managed-by';
const managedByRun = 'weft-run';

export interface LeftoversOptions {
  readonly state: MeshState;
  readonly sessions: ProxySessions;
  readonly client: ResourceClient;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long a proxy must be away, milliseconds. */
  readonly afterMs: number;
}

/** Removes the Proxy and WorkloadEntry of a `weft run` that was killed and could not remove them itself. */
export class Leftovers {
  readonly #options: LeftoversOptions;
  #timer: Timer | undefined;
  #closed = false;

  constructor(options: LeftoversOptions) {
    this.#options = options;
    this.#schedule();
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  /** One look at all proxies. */
  async collect(): Promise<void> {
    const { state, sessions, clock, afterMs } = this.#options;
    const now = clock.now();
    for (const proxyKey of state.proxyKeys()) {
      const since = sessions.awaySince(proxyKey);
      const labels = state.proxy(proxyKey)?.metadata.labels;
      if (since !== undefined && now - since >= afterMs && labels?.[managedByLabel] === managedByRun) {
        await this.#remove(proxyKey);
      }
    }
  }

  async #remove(proxyKey: string): Promise<void> {
    const { state, client, logger } = this.#options;
    const [namespace = '', name = ''] = proxyKey.split('/');
    const entry = state.workloadEntry(proxyKey);
    const kinds = [
      ...(entry?.metadata.labels?.[managedByLabel] === managedByRun ? [gvk.workloadEntry] : []),
      // Last, so that a failure before leaves the reason to come back.
      gvk.proxy,
    ];
    for (const kind of kinds) {
      try {
        await client.delete(kind, name, namespace);
      } catch (error) {
        const { code, message } = MeshError.from(error);
        if (code !== 'NOT_FOUND') {
          logger.warn('what a killed workload left could not be removed', {
            kind: kind.kind,
            proxy: proxyKey,
            error: message,
          });
          return;
        }
      }
    }
    logger.info('removed what a killed workload left', { proxy: proxyKey });
  }

  #schedule(): void {
    const { clock, afterMs } = this.#options;
    this.#timer = clock.setTimeout(
      () => {
        void this.collect().finally(() => {
          if (!this.#closed) {
            this.#schedule();
          }
        });
      },
      Math.min(Math.max(afterMs / 5, 1_000), 60_000),
      { unref: true },
    );
  }
}
