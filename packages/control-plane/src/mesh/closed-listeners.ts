import { maxListeners } from './seen-protocols.ts';

/** Longest reason that is kept, UTF-16 units. */
const maxReasonLength = 500;

/**
 * Listeners that a proxy has accepted but cannot open, as their sockets are somebody else's. It tells all of them each time. Stock Envoy refuses such
 * a listener instead (NACK).
 */
export class ClosedListeners {
  readonly #byProxy = new Map<string, ReadonlyMap<string, string>>();
  readonly #onChanged: () => void;

  /** @param onChanged is called when a proxy tells something else than before. */
  constructor(onChanged: () => void) {
    this.#onChanged = onChanged;
  }

  /**
   * Takes over what a proxy says: `{<listener>: <reason>}`. What is not of this form is left out.
   * @param isGiven whether the proxy has been given this listener; it cannot speak of others.
   */
  told(proxyKey: string, said: unknown, isGiven: (listener: string) => boolean): void {
    const listeners = new Map<string, string>();
    if (typeof said === 'object' && said !== null) {
      for (const [listener, reason] of Object.entries(said).slice(0, maxListeners)) {
        if (typeof reason === 'string' && isGiven(listener)) {
          listeners.set(listener, reason.slice(0, maxReasonLength));
        }
      }
    }
    const before = JSON.stringify([...this.of(proxyKey)]);
    this.#byProxy.set(proxyKey, listeners);
    if (JSON.stringify([...listeners]) !== before) {
      this.#onChanged();
    }
  }

  forget(proxyKey: string): void {
    this.#byProxy.delete(proxyKey);
  }

  /** Why each of them is not open, by name. */
  of(proxyKey: string): ReadonlyMap<string, string> {
    return this.#byProxy.get(proxyKey) ?? new Map();
  }
}
