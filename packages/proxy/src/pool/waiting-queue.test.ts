import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Waiting, WaitingQueue } from './waiting-queue.ts';

class Member implements Waiting<Member> {
  previousWaiting: Member | undefined = undefined;
  nextWaiting: Member | undefined = undefined;
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

test('members leave in their order, from the middle too, and may come again', () => {
  const queue = new WaitingQueue<Member>();
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => new Member(name)) as [Member, Member, Member, Member];
  for (const member of [a, b, c, d]) {
    queue.push(member);
  }
  assert.equal(queue.remove(b), true);
  assert.equal(queue.remove(b), false);
  assert.equal(queue.remove(d), true);
  assert.equal(queue.length, 2);
  queue.push(b);
  assert.equal(queue.first, a);
  assert.equal(queue.shift(), a);
  assert.deepEqual(queue.take(5), [c, b]);
  assert.equal(queue.shift(), undefined);
  assert.equal(queue.remove(a), false);
  assert.equal(queue.length, 0);
});

test('what was not taken stays', () => {
  const queue = new WaitingQueue<Member>();
  const members = ['a', 'b', 'c'].map((name) => new Member(name));
  for (const member of members) {
    queue.push(member);
  }
  assert.deepEqual(queue.take(2), members.slice(0, 2));
  assert.equal(queue.first, members[2]);
  assert.equal(queue.length, 1);
});
