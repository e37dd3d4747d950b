import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Linked, LinkedList } from './linked-list.ts';

class Member implements Linked<Member> {
  readonly name: string;
  previousInList: Member | undefined = undefined;
  nextInList: Member | undefined = undefined;

  constructor(name: string) {
    this.name = name;
  }
}

const namesOf = (list: LinkedList<Member>): string =>
  list
    .snapshot()
    .map(({ name }) => name)
    .join('');

test('members leave from the front, the middle and the end, and may come back', () => {
  const list = new LinkedList<Member>();
  const [a, b, c] = ['a', 'b', 'c'].map((name) => new Member(name)) as [Member, Member, Member];
  for (const member of [a, b, c]) {
    list.add(member);
  }
  assert.equal(namesOf(list), 'cba');
  list.remove(b);
  assert.equal(namesOf(list), 'ca');
  list.remove(c);
  assert.equal(namesOf(list), 'a');
  list.add(b);
  list.remove(a);
  assert.equal(namesOf(list), 'b');
  list.remove(b);
  assert.equal(list.first, undefined);
  assert.equal(list.size, 0);
});
