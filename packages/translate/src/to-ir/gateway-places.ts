import { overlap, Sockets } from '../sockets.ts';

/** A port of Gateways that a proxy listens on under another number. */
interface MappedPort {
  readonly port: number;
  readonly listenPort: number;
}

/**
 * The number under which a proxy listens on a port of Gateways; undefined: its Proxy has given that number to another port that it opens, and
 * says so on purpose, where this one has it only by being what it is.
 * @param opened the ports of all Gateways that are opened at the same address.
 */
export function listenPortOf(
  port: number,
  mapped: readonly MappedPort[],
  opened: readonly number[],
): number | undefined {
  const own = mapped.find((entry) => entry.port === port);
  if (own !== undefined) {
    return own.listenPort;
  }
  const isGiven = mapped.some((entry) => entry.listenPort === port && opened.includes(entry.port));
  return isGiven ? undefined : port;
}

/** What is to be opened, and where. */
interface Wanted {
  readonly port: number;
  /** undefined: the gateway's. */
  readonly address?: string;
}

/** The places of a gateway's sockets, each of them its own. */
export class GatewayPlaces {
  readonly #own: string;
  readonly #mapped: readonly MappedPort[];
  readonly #taken = new Sockets();

  /** @param own the gateway's address. */
  constructor(own: string, mapped: readonly MappedPort[]) {
    this.#own = own;
    this.#mapped = mapped;
  }

  /** Those that get a place, with it; what came before keeps what it has. */
  give<T extends Wanted>(sockets: readonly T[]): readonly { readonly socket: T; readonly listenPort: number }[] {
    return sockets.flatMap((socket) => {
      const address = socket.address ?? this.#own;
      const opened = sockets.filter((other) => overlap(address, other.address ?? this.#own)).map(({ port }) => port);
      const listenPort = listenPortOf(socket.port, this.#mapped, opened);
      return listenPort === undefined || !this.#taken.take(address, listenPort) ? [] : [{ socket, listenPort }];
    });
  }
}
