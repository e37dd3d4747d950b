import type { TypeState } from './type-state.ts';

/**
 * Endpoints that a client needs because their cluster was sent. A client warms a changed cluster, and Envoy does not even
 * acknowledge it, before it gets the endpoints once more, be they unchanged; for a new cluster it first has to ask for them.
 */
export class AwaitedEndpoints {
  readonly #names = new Set<string>();
  #untilMs = 0;

  has(name: string): boolean {
    return this.#names.has(name);
  }

  get size(): number {
    return this.#names.size;
  }

  /** After this (monotonic) time the endpoints that nobody asked for are not waited for any more. */
  get untilMs(): number {
    return this.#names.size === 0 ? Number.POSITIVE_INFINITY : this.#untilMs;
  }

  /** Whether what comes later in the order has to wait. */
  blocks(nowMs: number): boolean {
    return this.#names.size > 0 && nowMs < this.#untilMs;
  }

  /** The clusters of these endpoints were sent. `endpoints`: the state of the type, if the client asked for any. */
  add(names: readonly string[], endpoints: TypeState | undefined, untilMs: number): void {
    for (const name of names) {
      this.#names.add(name);
      this.#untilMs = untilMs;
    }
    this.owe(endpoints);
  }

  /** Endpoints that the client asks for are sent at once: the clusters precede them on the stream. */
  owe(endpoints: TypeState | undefined): void {
    for (const name of this.#names) {
      if (endpoints?.subscription.wants(name) === true) {
        endpoints.owe(name);
      }
    }
  }

  sent(name: string): void {
    this.#names.delete(name);
  }

  /** The client answered the clusters: from now on it has until `untilMs` to ask. */
  answered(untilMs: number): void {
    this.#untilMs = untilMs;
  }

  /** Forgets what does not exist, and what nobody asked for in time. */
  expire(exists: (name: string) => boolean, endpoints: TypeState | undefined, nowMs: number): void {
    for (const name of this.#names) {
      const asked = endpoints?.subscription.wants(name) === true;
      if (!exists(name) || (!asked && nowMs >= this.#untilMs)) {
        this.#names.delete(name);
      }
    }
  }
}
