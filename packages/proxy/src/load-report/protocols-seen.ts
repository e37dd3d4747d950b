import type { Clock } from '@weft/base';

/**
 * What clients of a listener were seen to speak: the two versions of HTTP by connection, `grpc` by request, `tls` that was not ours to
 * decrypt (on a port of HTTP: one that the client takes for another), `tcp` for other bytes and for ports where nothing is looked for,
 * `server-first` where the client waited to be spoken to.
 */
export type SeenProtocol = 'http1' | 'http2' | 'grpc' | 'tls' | 'tcp' | 'server-first';

/** Most listeners that are remembered; of further ones nothing is learnt. */
export const maxSeenListeners = 200;

/** How long counts that only grew may wait until they are told, milliseconds. */
const tellIntervalMs = 30_000;

interface Seen {
  count: number;
  lastMs: number;
}

/** What was learnt of one listener; outlives changes of its configuration. */
export class ListenerProtocols {
  readonly #all: ProtocolsSeen | undefined;
  readonly #seen = new Map<SeenProtocol, Seen>();

  /** @param all undefined: nobody asks. */
  constructor(all: ProtocolsSeen | undefined) {
    this.#all = all;
  }

  note(protocol: SeenProtocol, nowMs: number): void {
    let seen = this.#seen.get(protocol);
    if (seen === undefined) {
      seen = { count: 0, lastMs: 0 };
      this.#seen.set(protocol, seen);
      this.#all?.learnt();
    }
    seen.count += 1;
    seen.lastMs = nowMs;
  }

  /** `[count, seconds since it was last seen]` by protocol. */
  told(nowMs: number): Readonly<Record<string, readonly [number, number]>> {
    return Object.fromEntries(
      [...this.#seen].map(([protocol, { count, lastMs }]) => [
        protocol,
        [count, Math.max(0, Math.round((nowMs - lastMs) / 1000))] as const,
      ]),
    );
  }

  get count(): number {
    let sum = 0;
    for (const { count } of this.#seen.values()) {
      sum += count;
    }
    return sum;
  }
}

/** The protocols that were seen on each listener since the start, for the control plane to be told of. */
export class ProtocolsSeen {
  readonly #clock: Clock;
  readonly #listeners = new Map<string, ListenerProtocols>();
  readonly #beyond = new ListenerProtocols(undefined);
  #news = false;
  #toldCount = 0;
  #toldAtMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param listener its name. */
  of(listener: string): ListenerProtocols {
    let protocols = this.#listeners.get(listener);
    if (protocols === undefined) {
      if (this.#listeners.size >= maxSeenListeners) {
        return this.#beyond;
      }
      protocols = new ListenerProtocols(this);
      this.#listeners.set(listener, protocols);
    }
    return protocols;
  }

  /** A protocol was seen on a listener for the first time: worth telling at once. */
  learnt(): void {
    this.#news = true;
  }

  /**
   * Everything since the start, by listener and protocol, when there is something new to tell: at once what was learnt, counts that
   * grew twice a minute. undefined: nothing.
   * @param isFirst whether the other side knows nothing yet.
   */
  tell(isFirst: boolean): Readonly<Record<string, unknown>> | undefined {
    const nowMs = this.#clock.now();
    let count = 0;
    for (const protocols of this.#listeners.values()) {
      count += protocols.count;
    }
    const grew = count !== this.#toldCount && nowMs - this.#toldAtMs >= tellIntervalMs;
    if (count === 0 || !(isFirst || this.#news || grew)) {
      return undefined;
    }
    this.#news = false;
    this.#toldCount = count;
    this.#toldAtMs = nowMs;
    const told = [...this.#listeners].filter(([, protocols]) => protocols.count > 0);
    return Object.fromEntries(told.map(([name, protocols]) => [name, protocols.told(nowMs)]));
  }
}
