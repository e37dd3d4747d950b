import type { SeenProtocol } from '@weft/admin-api';

/** Most listeners of one proxy that are remembered, as many as it tells of. */
export const maxListeners = 200;

/** What one listener of a proxy saw, as it told last. Times are milliseconds since the Unix epoch. */
export type ListenerSeen = ReadonlyMap<
  SeenProtocol['protocol'],
  { readonly count: number; readonly lastSeenMs: number }
>;

const protocols: ReadonlySet<string> = new Set<SeenProtocol['protocol']>([
  'http1',
  'http2',
  'grpc',
  'tls',
  'tcp',
  'server-first',
]);

/**
 * What clients were seen to speak on the listeners of the proxies that are there. A proxy tells all that it knows each time, so that
 * after a restart of the control plane nothing has to be kept.
 */
export class SeenProtocols {
  readonly #byProxy = new Map<string, ReadonlyMap<string, ListenerSeen>>();
  readonly #onLearnt: () => void;

  /** @param onLearnt is called when a proxy tells of a protocol that it had not told of before. */
  constructor(onLearnt: () => void) {
    this.#onLearnt = onLearnt;
  }

  /**
   * Takes over what a proxy says: `{<listener>: {<protocol>: [count, seconds since]}}`. What is not of this form is left out.
   * @param isGiven whether the proxy has been given this listener; it cannot speak of others.
   */
  told(proxyKey: string, said: unknown, receivedAtMs: number, isGiven: (listener: string) => boolean): void {
    const listeners = new Map<string, ListenerSeen>();
    for (const [listener, counts] of entriesOf(said).slice(0, maxListeners)) {
      const seen = isGiven(listener) ? readCounts(counts, receivedAtMs) : undefined;
      if (seen !== undefined && seen.size > 0) {
        listeners.set(listener, seen);
      }
    }
    const before = this.#byProxy.get(proxyKey);
    this.#byProxy.set(proxyKey, listeners);
    const isNew = [...listeners].some(([listener, seen]) =>
      [...seen.keys()].some((protocol) => before?.get(listener)?.has(protocol) !== true),
    );
    if (isNew) {
      this.#onLearnt();
    }
  }

  forget(proxyKey: string): void {
    this.#byProxy.delete(proxyKey);
  }

  /** Empty: it has not told anything. */
  listenersOf(proxyKey: string): ReadonlyMap<string, ListenerSeen> {
    return this.#byProxy.get(proxyKey) ?? new Map();
  }

  /** All listeners of this name: those by which the workloads of the mesh reach one port of a host, say. */
  named(): ReadonlyMap<string, readonly ListenerSeen[]> {
    const all = new Map<string, ListenerSeen[]>();
    for (const listeners of this.#byProxy.values()) {
      for (const [name, seen] of listeners) {
        const others = all.get(name);
        if (others === undefined) {
          all.set(name, [seen]);
        } else {
          others.push(seen);
        }
      }
    }
    return all;
  }
}

function entriesOf(value: unknown): [string, unknown][] {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
}

function readCounts(said: unknown, receivedAtMs: number): ListenerSeen {
  const seen = new Map<SeenProtocol['protocol'], { readonly count: number; readonly lastSeenMs: number }>();
  for (const [protocol, pair] of entriesOf(said)) {
    if (!protocols.has(protocol) || !Array.isArray(pair)) {
      continue;
    }
    const [count, secondsSince] = pair as readonly unknown[];
    if (isCount(count) && isCount(secondsSince) && count > 0) {
      seen.set(protocol as SeenProtocol['protocol'], {
        count,
        lastSeenMs: Math.max(0, receivedAtMs - secondsSince * 1_000),
      });
    }
  }
  return seen;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
