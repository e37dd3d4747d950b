import { isIPv6 } from 'node:net';
import type { BindAddress } from '../runtime-config/config.ts';
import type { Connection } from '../transport/connection.ts';
import type { ConnectCallbacks, PendingConnection } from '../transport/raw-connection.ts';
import { type TimerOwner, type TimerWheel, WheelTimer } from '../transport/timer-wheel.ts';

/** RFC 8305 §8 recommends 250 ms between attempts; this is Envoy's. */
export const attemptDelayMs = 300;

interface RaceContext {
  readonly wheel: TimerWheel;
  readonly clock: { monotonicMs(): number };
}

/**
 * Connects to the address of several that answers first ("happy eyeballs", RFC 8305): each later attempt begins when the one before has
 * failed, or has not come to an end for a while. A handshake is a part of the attempt.
 */
export class ConnectRace implements PendingConnection, TimerOwner {
  readonly #context: RaceContext;
  readonly #connect: (address: BindAddress, callbacks: ConnectCallbacks) => PendingConnection;
  readonly #callbacks: ConnectCallbacks;
  readonly #left: BindAddress[];
  readonly #running = new Set<PendingConnection>();
  readonly #timer: WheelTimer = new WheelTimer(this, 0);
  #underWay = 0;
  #over = false;

  constructor(
    context: RaceContext,
    addresses: readonly BindAddress[],
    connect: (address: BindAddress, callbacks: ConnectCallbacks) => PendingConnection,
    callbacks: ConnectCallbacks,
  ) {
    this.#context = context;
    this.#left = alternated(addresses);
    this.#connect = connect;
    this.#callbacks = callbacks;
  }

  start(): void {
    const address = this.#left.shift();
    if (address === undefined) {
      return;
    }
    this.#underWay += 1;
    const attempt: { pending?: PendingConnection } = {};
    const pending = this.#connect(address, {
      onConnected: (connection) => this.#won(connection, attempt.pending),
      onFailed: (error) => this.#lost(error, attempt.pending),
    });
    attempt.pending = pending;
    this.#running.add(pending);
    if (this.#left.length > 0 && !this.#over) {
      const { wheel, clock } = this.#context;
      wheel.arm(this.#timer, clock.monotonicMs(), attemptDelayMs);
    }
  }

  onTimer(): void {
    this.start();
  }

  abandon(): void {
    this.#over = true;
    this.#context.wheel.remove(this.#timer);
    for (const pending of this.#running) {
      pending.abandon();
    }
    this.#running.clear();
  }

  #won(connection: Connection, pending: PendingConnection | undefined): void {
    if (pending !== undefined) {
      this.#running.delete(pending);
    }
    this.abandon();
    this.#callbacks.onConnected(connection);
  }

  #lost(error: Error, pending: PendingConnection | undefined): void {
    if (this.#over) {
      return;
    }
    this.#underWay -= 1;
    if (pending !== undefined) {
      this.#running.delete(pending);
    }
    if (this.#left.length > 0) {
      this.start();
    } else if (this.#underWay === 0) {
      this.abandon();
      this.#callbacks.onFailed(error);
    }
  }
}

/** By turns of both families, that of the first address first; within one the order stays. */
export function alternated(addresses: readonly BindAddress[]): BindAddress[] {
  const [first] = addresses;
  const isV6 = (address: BindAddress): boolean => address.kind === 'ip' && isIPv6(address.address);
  const preferred = first !== undefined && isV6(first);
  const some = addresses.filter((address) => isV6(address) === preferred);
  const others = addresses.filter((address) => isV6(address) !== preferred);
  const order: BindAddress[] = [];
  for (let index = 0; index < Math.max(some.length, others.length); index += 1) {
    for (const address of [some[index], others[index]]) {
      if (address !== undefined) {
        order.push(address);
      }
    }
  }
  return order;
}
