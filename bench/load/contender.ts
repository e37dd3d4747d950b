import type { Running } from './running.ts';

/** A proxy, or a pair of them, that takes part in one benchmark. */
export interface Contender {
  /** `weft`, `envoy`, `haproxy`, `nginx`; `direct` for none. */
  readonly proxy: string;
  readonly variant?: string;
  /** Processes whose cost counts. */
  readonly pids: readonly number[];
  /** Where the load goes. */
  readonly port: number;
  stop(): Promise<void>;
}

/** What is printed for it. */
export function title({ proxy, variant }: { readonly proxy: string; readonly variant?: string }): string {
  return variant === undefined ? proxy : `${proxy} (${variant})`;
}

/** @param parts the process that takes the load first. */
export function contender(
  proxy: string,
  variant: string | undefined,
  parts: readonly [Running, ...Running[]],
): Contender {
  return {
    proxy,
    ...(variant === undefined ? {} : { variant }),
    pids: parts.map(({ pid }) => pid),
    port: parts[0].port,
    async stop() {
      for (const part of parts) {
        await part.stop();
      }
    },
  };
}
