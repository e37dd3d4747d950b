import assert from 'node:assert/strict';
import { test } from 'node:test';
import { typeUrls } from '@weft/xds-types';
import { edsCluster, opaque, routesTo, StreamFixture, wire } from './stream-fixture.ts';

const {
  cluster: cds,
  endpoint: eds,
  listener: lds,
  routeConfiguration: rds,
  secret: sds,
  virtualHost: vhds,
} = typeUrls;

const endpoints = (name: string, text = ''): ReturnType<typeof opaque> => opaque(eds, name, text);

test('a changed endpoint goes out at once, whatever else is unanswered', async () => {
  const fixture = new StreamFixture();
  fixture.set(edsCluster('a'), endpoints('a'));
  fixture.subscribe(cds);
  fixture.subscribe(eds, 'a');
  await fixture.settle();
  fixture.set(edsCluster('a'), edsCluster('b'), endpoints('a'), endpoints('b'));
  assert.deepEqual(wire(await fixture.take()), ['CDS(b)']);
  fixture.set(edsCluster('a'), edsCluster('b'), endpoints('a', 'changed'), endpoints('b'));
  assert.deepEqual(wire(await fixture.take()), ['EDS(a)'], 'the clusters are not acknowledged yet');
});

test('an on-demand virtual host is answered after the client acknowledged its cluster and the endpoints', async () => {
  let resolve: () => void = () => {};
  const fixture = new StreamFixture({ onSubscribe: () => new Promise<void>((done) => (resolve = done)) });
  fixture.set();
  fixture.subscribe(cds);
  fixture.subscribe(vhds);
  await fixture.settle();
  fixture.subscribe(vhds, 'http-proxy/late');
  assert.deepEqual(await fixture.take(), [], 'nothing is said while it is looked up');
  fixture.set(edsCluster('late'), endpoints('late'), opaque(vhds, 'http-proxy/late'));
  resolve();
  const [clusters] = await fixture.take();
  assert.deepEqual(clusters?.names, ['late']);
  fixture.subscribe(eds, 'late');
  const [assignment] = await fixture.take();
  assert.deepEqual(assignment?.names, ['late']);
  if (clusters !== undefined && assignment !== undefined) {
    fixture.ack(clusters);
    assert.deepEqual(await fixture.take(), [], 'the endpoints are not acknowledged yet');
    fixture.ack(assignment);
  }
  assert.deepEqual(wire(await fixture.take()), ['VHDS(http-proxy/late)']);
});

test('what the control plane does not know is answered as absent when its lookup settles, or fails, or takes too long', async () => {
  const settle: Record<string, { resolve: () => void; reject: (reason: Error) => void }> = {};
  const fixture = new StreamFixture({
    onSubscribe: (_typeUrl, names) =>
      new Promise<void>((resolve, reject) => {
        settle[names.join()] = { resolve, reject };
      }),
  });
  fixture.set();
  fixture.subscribe(vhds);
  await fixture.settle();
  fixture.subscribe(vhds, 'p/one');
  await fixture.take();
  settle['p/one']?.resolve();
  assert.deepEqual(wire(await fixture.settle()), ['VHDS(?p/one)']);
  fixture.subscribe(vhds, 'p/two');
  await fixture.take();
  settle['p/two']?.reject(new Error('the store is away'));
  assert.deepEqual(wire(await fixture.settle()), ['VHDS(?p/two)']);
  fixture.subscribe(vhds, 'p/three');
  assert.deepEqual(await fixture.take(), []);
  fixture.clock.advance(5_000);
  assert.deepEqual(wire(await fixture.settle()), ['VHDS(?p/three)']);
});

test('what a client asks for because of clusters is not held back by clusters that could not be sent yet', async () => {
  const fixture = new StreamFixture();
  fixture.set(opaque(cds, 'a'), opaque(sds, 'roots'));
  fixture.subscribe(cds);
  assert.deepEqual(wire(await fixture.take()), ['CDS(a)']);
  fixture.set(opaque(cds, 'a'), opaque(cds, 'b'), opaque(sds, 'roots'), opaque(sds, 'other'));
  assert.deepEqual(await fixture.take(), [], 'the first clusters are not acknowledged yet');
  fixture.subscribe(sds, 'roots');
  assert.deepEqual(wire(await fixture.take()), ['SDS(roots)']);
});

test('the order goes on without a client that does not answer', async () => {
  const fixture = new StreamFixture();
  fixture.subscribe(cds);
  fixture.subscribe(lds);
  fixture.set(opaque(cds, 'a'), opaque(lds, 'l'));
  assert.deepEqual(wire(await fixture.take()), ['CDS(a)']);
  fixture.clock.advance(4_999);
  assert.deepEqual(await fixture.take(), []);
  fixture.clock.advance(1);
  assert.deepEqual(wire(await fixture.take()), ['LDS(l)']);
});

test('a client that does not ask for the endpoints of a new cluster holds back listeners only for a moment', async () => {
  const fixture = new StreamFixture();
  fixture.subscribe(cds);
  fixture.subscribe(lds);
  fixture.set(edsCluster('a'), endpoints('a'), opaque(lds, 'l'));
  const [clusters] = await fixture.take();
  if (clusters !== undefined) {
    fixture.ack(clusters);
  }
  assert.deepEqual(await fixture.take(), []);
  fixture.clock.advance(500);
  assert.deepEqual(wire(await fixture.take()), ['LDS(l)']);
});

test('a route to a cluster that the client refused is withheld, and nothing else is', async () => {
  const fixture = new StreamFixture();
  fixture.set(opaque(cds, 'x'), routesTo('r', 'x'), routesTo('other', 'x'));
  fixture.subscribe(cds);
  fixture.subscribe(rds, 'r', 'other');
  await fixture.settle();
  fixture.set(opaque(cds, 'y', 'bad'), routesTo('r', 'y'), routesTo('other', 'gone'));
  const [clusters] = await fixture.take();
  assert.deepEqual(clusters?.names, ['y']);
  if (clusters !== undefined) {
    fixture.nack(clusters, 'y: is bad');
  }
  assert.deepEqual(wire(await fixture.settle()), ['RDS(other)'], 'x stays too, because r still uses it');
  fixture.set(opaque(cds, 'y', 'mended'), routesTo('r', 'y'), routesTo('other', 'gone'));
  assert.deepEqual(wire(await fixture.settle()), ['CDS(y)', 'RDS(r)', 'CDS(-x)']);
});

test('a cluster that was refused but has an older version in use withholds nothing', async () => {
  const fixture = new StreamFixture();
  fixture.set(opaque(cds, 'x'), routesTo('r', 'x'));
  fixture.subscribe(cds);
  fixture.subscribe(rds, 'r');
  await fixture.settle();
  fixture.set(opaque(cds, 'x', 'bad'), opaque(cds, 'z'), routesTo('r', 'x'), routesTo('r2', 'x'));
  fixture.subscribe(rds, 'r', 'r2');
  const [clusters, ...rest] = await fixture.take();
  if (clusters !== undefined) {
    fixture.nack(clusters, 'x: is bad');
  }
  rest.forEach((response) => void fixture.ack(response));
  assert.ok(wire([...rest, ...(await fixture.settle())]).some((line) => line.includes('r2')));
});

test('a response that would be too large is split, and complete in the end', async () => {
  const fixture = new StreamFixture({ maxResponseBytes: 1_000 });
  const all = Array.from({ length: 40 }, (_, index) => opaque(cds, `c${index}`, 'x'.repeat(100)));
  fixture.set(...all);
  fixture.subscribe(cds);
  const responses = await fixture.settle();
  assert.ok(responses.length >= 5);
  assert.equal(new Set(responses.flatMap(({ names }) => names)).size, 40);
  assert.equal(fixture.stream.types.get(cds)?.ackedStoreVersion, 1);
  const huge = opaque(cds, 'huge', 'y'.repeat(120));
  const one = new StreamFixture({ maxResponseBytes: 1 });
  one.set(huge);
  one.subscribe(cds);
  assert.deepEqual(wire(await one.settle()), ['CDS(huge)'], 'one always fits');
});

test('a store version counts for a type as soon as it changes nothing there', async () => {
  const fixture = new StreamFixture();
  fixture.set(opaque(cds, 'a'));
  fixture.subscribe(cds);
  await fixture.settle();
  fixture.set(opaque(cds, 'a'), opaque(lds, 'l'));
  await fixture.take();
  assert.equal(fixture.stream.types.get(cds)?.ackedStoreVersion, 2);
});

test('under constant change the acknowledged version follows', async () => {
  const fixture = new StreamFixture();
  fixture.subscribe(cds);
  for (let version = 1; version <= 10; version += 1) {
    fixture.set(opaque(cds, 'a', `${version}`));
    const [response] = await fixture.take();
    fixture.set(opaque(cds, 'a', `${version}+`)); // Changed again before the answer.
    if (response !== undefined) {
      fixture.ack(response);
    }
    assert.equal(fixture.stream.types.get(cds)?.ackedStoreVersion, fixture.storeVersion - 1);
    await fixture.settle();
  }
});
