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
    const among = new Rivals(rivals);
    const found = listeners.map((listener, index) => lost[index] ?? among.conflictOf(listener));
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

/** Listeners that want places at the same time, by what they may have in common, so that thousands are not all compared with each other. */
class Rivals {
  readonly #order = new Map<KubeListener, number>();
  /** By port: the first of each family. */
  readonly #byFamily = new Map<number, Map<string, KubeListener>>();
  /** By `<port> <host>`: the first two. */
  readonly #byHost = new Map<string, KubeListener[]>();

  constructor(listeners: readonly KubeListener[]) {
    for (const listener of listeners) {
      const { port } = listener;
      this.#order.set(listener, this.#order.size);
      const families = this.#byFamily.get(port) ?? new Map<string, KubeListener>();
      this.#byFamily.set(port, families.has(family(listener)) ? families : families.set(family(listener), listener));
      const place = `${port} ${hostOf(listener)}`;
      const there = this.#byHost.get(place) ?? [];
      this.#byHost.set(place, there.length < 2 ? [...there, listener] : there);
    }
  }

  /** What the first of the others says against a listener. */
  conflictOf(listener: KubeListener): ListenerConflict | undefined {
    const { port } = listener;
    const others = [...(this.#byFamily.get(port) ?? [])].filter(([name]) => name !== family(listener));
    const alike = this.#byHost.get(`${port} ${hostOf(listener)}`) ?? [];
    const [first] = [...others.map(([, other]) => other), ...alike.filter((other) => other !== listener)].sort(
      (a, b) => (this.#order.get(a) ?? 0) - (this.#order.get(b) ?? 0),
    );
    if (first === undefined) {
      return undefined;
    }
    return family(first) === family(listener)
      ? {
          kind: 'conflict',
          reason: 'HostnameConflict',
          message: `listener ${first.name} has the same host on port ${port}`,
          lost: false,
        }
      : {
          kind: 'conflict',
          reason: 'ProtocolConflict',
          message: `listener ${first.name} has protocol ${first.protocol} on port ${port}`,
          lost: false,
        };
  }
}
