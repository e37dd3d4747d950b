import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noEdits } from './support/configs.ts';
import { answering, okResponse } from './support/raw-peer.ts';
import { get, getOnce, SimpleProxy } from './support/simple-proxy.ts';

test('a defect met on one connection closes it, is counted, logged once, and hurts nobody else', async (t) => {
  let planted = false;
  const proxy = await SimpleProxy.start(t, {
    onData: answering(okResponse),
    // Two clusters make the router draw a number, which is where the defect sits.
    forward: {
      clusters: [
        { cluster: 'origin', weight: 1, headers: noEdits },
        { cluster: 'origin', weight: 1, headers: noEdits },
      ],
    },
    dataPlane: {
      random: () => {
        if (planted) {
          throw new Error('planted');
        }
        return 0.5;
      },
    },
  });
  const healthy = await proxy.client();
  healthy.send(get());
  await healthy.untilText('ok');
  for (let round = 1; round <= 3; round += 1) {
    planted = true;
    const victim = await proxy.client();
    victim.send(get());
    await victim.untilEnd();
    assert.equal(proxy.harness.dataPlane.faults(), round);
    planted = false;
  }
  assert.equal(proxy.harness.logs.filter(({ level }) => level === 'error').length, 1);
  healthy.received = Buffer.alloc(0);
  healthy.send(get());
  await healthy.untilText('ok');
  assert.match(await proxy.exchange(getOnce()), /^HTTP\/1\.1 200/);
});

test('a defect in what receives the records costs no request', async (t) => {
  const proxy = await SimpleProxy.start(t, {
    onData: answering(okResponse),
    dataPlane: {
      onStreamEnd: () => {
        throw new Error('planted');
      },
    },
  });
  const client = await proxy.client();
  for (let round = 1; round <= 3; round += 1) {
    client.received = Buffer.alloc(0);
    client.send(get());
    await client.untilText('ok');
  }
  assert.equal(proxy.harness.dataPlane.faults(), 3);
  assert.equal(proxy.origin.connections.length, 1);
});

test('connections beyond the limit are closed, those there stay', async (t) => {
  const proxy = await SimpleProxy.start(t, { onData: answering(okResponse), dataPlane: { maxConnections: 2 } });
  const first = await proxy.client();
  const second = await proxy.client();
  first.send(get());
  second.send(get());
  await first.untilText('ok');
  await second.untilText('ok');
  const third = await proxy.client();
  await third.untilEnd();
  assert.equal(third.text, '');
  first.close();
  first.send(get());
  second.received = Buffer.alloc(0);
  second.send(get());
  await second.untilText('ok');
});
