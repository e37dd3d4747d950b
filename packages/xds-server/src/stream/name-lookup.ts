import type { Clock, Logger } from '@weft/base';
import { type TypeUrl, typeUrls } from '@weft/xds-types';
import type { TypeState } from './type-state.ts';

export interface NameLookupOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly timeoutMs: number;
  onSubscribe(typeUrl: TypeUrl, names: readonly string[]): void | Promise<void>;
  /** A lookup ended. */
  onSettled(): void;
}

/**
 * Names that a client asks for and that its snapshot does not hold: the control plane is asked about each once, and the client is
 * told that they do not exist only when the control plane has had its say.
 */
export class NameLookup {
  readonly #options: NameLookupOptions;
  readonly #pending = new Map<TypeUrl, Set<string>>();
  readonly #asked = new Map<TypeUrl, Set<string>>();

  constructor(options: NameLookupOptions) {
    this.#options = options;
  }

  isPending(typeUrl: TypeUrl, name: string): boolean {
    return this.#pending.get(typeUrl)?.has(name) === true;
  }

  hasPending(typeUrl: TypeUrl): boolean {
    return (this.#pending.get(typeUrl)?.size ?? 0) > 0;
  }

  /** The client asked for it again. */
  forget(typeUrl: TypeUrl, name: string): void {
    this.#asked.get(typeUrl)?.delete(name);
  }

  /** Asks about the missing names that were not asked about yet. */
  look(state: TypeState): void {
    const { missing } = state.diff;
    if (missing.length === 0) {
      return;
    }
    const asked = setOf(this.#asked, state.typeUrl);
    for (const name of asked) {
      if (!state.subscription.names.has(name)) {
        asked.delete(name);
      }
    }
    const names = missing.filter((name) => !asked.has(name));
    if (names.length > 0) {
      names.forEach((name) => void asked.add(name));
      if (state.typeUrl === typeUrls.secret) {
        this.#options.logger.warn('a client asks for secrets that it is not given', { names: names.slice(0, 8) });
      }
      this.#ask(state.typeUrl, names);
    }
  }

  #ask(typeUrl: TypeUrl, names: readonly string[]): void {
    const result = this.#options.onSubscribe(typeUrl, names);
    if (result === undefined) {
      return;
    }
    const pending = setOf(this.#pending, typeUrl);
    names.forEach((name) => void pending.add(name));
    let settled = false;
    const settle = (): void => {
      if (!settled) {
        settled = true;
        timer.cancel();
        names.forEach((name) => void pending.delete(name));
        this.#options.onSettled();
      }
    };
    const timer = this.#options.clock.setTimeout(settle, this.#options.timeoutMs, { unref: true });
    result.then(settle, (error: unknown) => {
      this.#options.logger.warn('looking up names on demand failed', { typeUrl, error });
      settle();
    });
  }
}

function setOf<K>(sets: Map<K, Set<string>>, key: K): Set<string> {
  let set = sets.get(key);
  if (set === undefined) {
    set = new Set();
    sets.set(key, set);
  }
  return set;
}
