/** What a `LinkedList` strings together. An object is in one list at a time. */
export interface Linked<T> {
  /** @internal */
  previousInList: T | undefined;
  /** @internal */
  nextInList: T | undefined;
}

/** A list whose links are in its members: adding and removing allocate nothing and take the same time at any length. */
export class LinkedList<T extends Linked<T>> {
  first: T | undefined = undefined;
  size = 0;

  add(member: T): void {
    const { first } = this;
    member.nextInList = first;
    member.previousInList = undefined;
    if (first !== undefined) {
      first.previousInList = member;
    }
    this.first = member;
    this.size += 1;
  }

  /** `member` must be in this list. */
  remove(member: T): void {
    const { previousInList: previous, nextInList: next } = member;
    if (previous === undefined) {
      this.first = next;
    } else {
      previous.nextInList = next;
    }
    if (next !== undefined) {
      next.previousInList = previous;
    }
    member.nextInList = undefined;
    member.previousInList = undefined;
    this.size -= 1;
  }

  /** The members at this moment, for loops that add and remove. */
  snapshot(): T[] {
    const members: T[] = [];
    for (let member = this.first; member !== undefined; member = member.nextInList) {
      members.push(member);
    }
    return members;
  }
}
