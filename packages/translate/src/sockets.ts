/** Whether an address stands for all of the machine. */
export function isAny(address: string): boolean {
  return address === '0.0.0.0' || address === '::';
}

/** Whether sockets of one port at these addresses are in each other's way. */
export function overlap(a: string, b: string): boolean {
  return a === b || isAny(a) || isAny(b);
}

/** The sockets that are taken: a listener needs one that is its own. */
export class Sockets {
  readonly #byPort = new Map<number, string[]>();

  /** False: somebody has it, or a part of it. */
  take(address: string, port: number): boolean {
    const there = this.#byPort.get(port) ?? [];
    if (there.some((other) => overlap(address, other))) {
      return false;
    }
    this.#byPort.set(port, [...there, address]);
    return true;
  }
}
