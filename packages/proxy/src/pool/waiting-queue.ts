/** What a `WaitingQueue` strings together. An object is in one queue at a time. */
export interface Waiting<T> {
  /** @internal */
  previousWaiting: T | undefined;
  /** @internal */
  nextWaiting: T | undefined;
}

/** First in, first out, with the links in the members: who gives up leaves in the same time at any length. */
export class WaitingQueue<T extends Waiting<T>> {
  #first: T | undefined = undefined;
  #last: T | undefined = undefined;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  get first(): T | undefined {
    return this.#first;
  }

  push(member: T): void {
    const last = this.#last;
    member.previousWaiting = last;
    member.nextWaiting = undefined;
    if (last === undefined) {
      this.#first = member;
    } else {
      last.nextWaiting = member;
    }
    this.#last = member;
    this.#length += 1;
  }

  shift(): T | undefined {
    const first = this.#first;
    if (first !== undefined) {
      this.#unlink(first);
    }
    return first;
  }

  /** @returns whether it was there. */
  remove(member: T): boolean {
    if (member.previousWaiting === undefined && this.#first !== member) {
      return false;
    }
    this.#unlink(member);
    return true;
  }

  /** Takes out at most `count`, in order. */
  take(count: number): T[] {
    const taken: T[] = [];
    for (let member = this.#first; member !== undefined && taken.length < count; member = this.#first) {
      this.#unlink(member);
      taken.push(member);
    }
    return taken;
  }

  #unlink(member: T): void {
    const { previousWaiting: previous, nextWaiting: next } = member;
    if (previous === undefined) {
      this.#first = next;
    } else {
      previous.nextWaiting = next;
    }
    if (next === undefined) {
      this.#last = previous;
    } else {
      next.previousWaiting = previous;
    }
    member.previousWaiting = undefined;
    member.nextWaiting = undefined;
    this.#length -= 1;
  }
}
