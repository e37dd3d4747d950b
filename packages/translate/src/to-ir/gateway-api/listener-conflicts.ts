import type { KubeListener } from '@weft/resources';

/** Why a listener cannot have its place, in the words of Gateway API. */
export interface ListenerConflict {
  readonly kind: 'conflict';
  readonly reason: 'ProtocolConflict' | 'HostnameConflict';
  readonly message: string;
  /** Another one had it first, and keeps it; false: nobody has it. */
  readonly lost: boolean;
}

/** What shares a port: HTTP with HTTP, what begins with a ClientHello with its like, TCP with nothing. */
function family({ protocol }: KubeListener): string {
  return protocol === 'HTTPS' || protocol === 'TLS' ? 'TLS' : protocol;
}

function hostOf({ hostname }: KubeListener): string {
  return (hostname ?? '*').toLowerCase();
}

/** Who has what of a Gateway's ports: its own listeners first, then those of each ListenerSet in turn. */
export class ListenerPlaces {
  readonly #families = new Map<number, string>();
  /** `<port> <host>` */
  readonly #hosts = new Set<string>();

  /**
   * Gives places to the listeners of one object. Of those that cannot be told apart none gets one: which one was meant cannot be known (as
   * Gateway API has it). What came before keeps what it has.
   * @returns by position; undefined: it has its place.
   */
  take(listeners: readonly KubeListener[]): readonly (ListenerConflict | undefined)[] {
    const lost = listeners.map((listener) => this.#conflictWithEarlier(listener));
    const rivals = listeners.filter((_, index) => lost[index] === undefined);
    const found = listeners.map((listener, index) => lost[index] ?? conflictAmong(rivals, listener));
    for (const listener of rivals) {
      this.#families.set(listener.port, this.#families.get(listener.port) ?? family(listener));
      this.#hosts.add(`${listener.port} ${hostOf(listener)}`);
    }
    return found;
  }

  /** Others' listeners are not named: a ListenerSet need not know who else has one. */
  #conflictWithEarlier(listener: KubeListener): ListenerConflict | undefined {
    const { port } = listener;
    const taken = this.#families.get(port);
    if (taken !== undefined && taken !== family(listener)) {
      const message = `port ${port} of the Gateway has a listener of another protocol`;
      return { kind: 'conflict', reason: 'ProtocolConflict', message, lost: true };
    }
    return this.#hosts.has(`${port} ${hostOf(listener)}`)
      ? {
          kind: 'conflict',
          reason: 'HostnameConflict',
          message: `port ${port} of the Gateway has a listener for the same host`,
          lost: true,
        }
      : undefined;
  }
}

function conflictAmong(listeners: readonly KubeListener[], listener: KubeListener): ListenerConflict | undefined {
  for (const rival of listeners) {
    if (rival === listener || rival.port !== listener.port) {
      continue;
    }
    if (family(rival) !== family(listener)) {
      const message = `listener ${rival.name} has protocol ${rival.protocol} on port ${rival.port}`;
      return { kind: 'conflict', reason: 'ProtocolConflict', message, lost: false };
    }
    if (hostOf(rival) === hostOf(listener)) {
      const message = `listener ${rival.name} has the same host on port ${rival.port}`;
      return { kind: 'conflict', reason: 'HostnameConflict', message, lost: false };
    }
  }
  return undefined;
}
