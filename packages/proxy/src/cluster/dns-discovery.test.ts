import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '@weft/testkit';
import { assignment, endpoint } from '../../test/support/configs.ts';
import type { ClusterEndpoints, EndpointConfig } from '../runtime-config/config.ts';
import type { DnsOptions } from '../runtime-config/discovery.ts';
import { DnsDiscovery } from './dns-discovery.ts';
import { type DnsAnswer, resolveFamilies } from './dns-resolver.ts';

const strict: DnsOptions = {
  kind: 'strict',
  families: 'v4-only',
  refreshMs: 5000,
  respectTtl: false,
  failureRefresh: undefined,
};
const named = endpoint(80, { address: { kind: 'ip', address: 'books.example', port: 80 } });

const textOf = ({ address }: EndpointConfig): string =>
  address.kind === 'ip' ? `${address.address}:${address.port}` : address.path;

/** Answers by hand, with what was told so far. */
function discover(endpoints: readonly EndpointConfig[], dns: Partial<DnsOptions>, answers: (DnsAnswer | Error)[]) {
  const clock = new ManualClock();
  const told: ClusterEndpoints[] = [];
  const asked: string[] = [];
  const discovery = new DnsDiscovery({
    endpoints: assignment('dns', endpoints),
    dns: { ...strict, ...dns },
    clock,
    random: () => 0.5,
    resolve: (name, family) => {
      asked.push(`${name}/${family}`);
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      return answer instanceof Error || answer === undefined ? Promise.reject(answer) : Promise.resolve(answer);
    },
    onEndpoints: (list) => void told.push(list),
  });
  discovery.start();
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return { clock, told, asked, discovery, settle };
}

const addresses = (list: ClusterEndpoints | undefined): string[] =>
  (list?.localities ?? []).flatMap((locality) => locality.endpoints.map(textOf));
const answer = (...found: string[]): DnsAnswer => ({ addresses: found, ttlSec: undefined });
const failure = new Error('SERVFAIL');

test('names become addresses; a change is told, another order is none, a failure keeps the last ones', async () => {
  const { clock, told, settle } = discover([named, endpoint(81)], {}, [
    answer('10.0.0.2', '10.0.0.1'),
    answer('10.0.0.1', '10.0.0.2'),
    failure,
    answer('10.0.0.3'),
  ]);
  await settle();
  for (let round = 0; round < 3; round += 1) {
    clock.advance(5250);
    await settle();
  }
  assert.deepEqual(told.map(addresses), [
    ['10.0.0.1:80', '10.0.0.2:80', '127.0.0.1:81'],
    ['10.0.0.3:80', '127.0.0.1:81'],
  ]);
});

test('a name that cannot be resolved at first has no endpoints, and others serve', async () => {
  const { told, settle } = discover([named, endpoint(81)], {}, [failure]);
  await settle();
  assert.deepEqual(told.map(addresses), [['127.0.0.1:81']]);
});

test('the time of a record is the pause, a little longer; without one it is that of the cluster', async () => {
  const { clock, asked, settle } = discover([named], { respectTtl: true }, [
    { addresses: ['10.0.0.1'], ttlSec: 60 },
    { addresses: ['10.0.0.1'], ttlSec: 0 },
  ]);
  await settle();
  clock.advance(60_000);
  await settle();
  assert.equal(asked.length, 1);
  clock.advance(3000);
  await settle();
  assert.equal(asked.length, 2);
  clock.advance(5250);
  await settle();
  assert.equal(asked.length, 3);
});

test('failures are asked again after pauses that grow up to the maximum, and begin anew behind an answer', async () => {
  const failureRefresh = { baseMs: 100, maxMs: 300 };
  const { clock, asked, settle } = discover([named], { failureRefresh }, [
    failure,
    failure,
    failure,
    answer('10.0.0.1'),
    failure,
  ]);
  await settle();
  const pauses: number[] = [];
  for (const pause of [50, 100, 150, 5250, 50]) {
    const before = asked.length;
    clock.advance(pause - 1);
    await settle();
    assert.equal(asked.length, before);
    clock.advance(1);
    await settle();
    assert.equal(asked.length, before + 1);
    pauses.push(pause);
  }
  assert.equal(pauses.length, 5);
});

test('a logical name is one endpoint that keeps its name; its first address counts, the others stand beside it', async () => {
  const { clock, told, settle } = discover([named], { kind: 'logical', families: 'all' }, [
    answer('2001:db8::1'),
    answer('10.0.0.1'),
    answer('2001:db8::1'),
    answer('10.0.0.2', '10.0.0.1'),
  ]);
  await settle();
  clock.advance(5250);
  await settle();
  const found = told.map((list) => list.localities[0]?.endpoints[0]);
  assert.deepEqual(
    found.map((each) => each && [each.logicalName, textOf(each), each.additionalAddresses?.length]),
    [
      ['books.example:80', '2001:db8::1:80', 1],
      ['books.example:80', '2001:db8::1:80', 2],
    ],
  );
});

test('a name whose watch was stopped tells nothing', async () => {
  const { told, discovery, settle } = discover([named], {}, [answer('10.0.0.1')]);
  discovery.stop();
  await settle();
  assert.deepEqual(told, []);
});

test('families are asked for as dns_lookup_family says', async () => {
  const known: Record<number, DnsAnswer | undefined> = {
    4: { addresses: ['10.0.0.1'], ttlSec: 30 },
    6: { addresses: ['::1'], ttlSec: 10 },
  };
  const asked: number[] = [];
  const ask = async (families: DnsOptions['families']): Promise<unknown> => {
    asked.length = 0;
    const resolver = (_name: string, family: 4 | 6): Promise<DnsAnswer> => {
      asked.push(family);
      const found = known[family];
      return found === undefined ? Promise.reject(new Error(`no ${family}`)) : Promise.resolve(found);
    };
    const result = await resolveFamilies(resolver, 'a', families, true).catch((error: Error) => error.message);
    return [asked.join(), typeof result === 'string' ? result : `${result.addresses.join()} ${result.ttlSec}`];
  };
  assert.deepEqual(await ask('v4-only'), ['4', '10.0.0.1 30']);
  assert.deepEqual(await ask('v6-only'), ['6', '::1 10']);
  assert.deepEqual(await ask('auto'), ['6', '::1 10']);
  assert.deepEqual(await ask('v4-preferred'), ['4', '10.0.0.1 30']);
  assert.deepEqual(await ask('all'), ['6,4', '::1,10.0.0.1 10']);
  known[6] = undefined;
  assert.deepEqual(await ask('auto'), ['6,4', '10.0.0.1 30']);
  assert.deepEqual(await ask('all'), ['6,4', '10.0.0.1 30']);
  known[4] = undefined;
  assert.deepEqual(await ask('all'), ['6,4', 'no 6']);
});
