import assert from 'node:assert/strict';
import type { EncodedResource } from '@weft/xds-server';
import { typeUrls } from '@weft/xds-types';
import { Cluster } from '@weft/xds-types/envoy/config/cluster/v3/cluster.ts';
import { RouteConfiguration } from '@weft/xds-types/envoy/config/route/v3/route.ts';
import { cluster, edsCluster, endpoints, listener, route } from '../support/resources.ts';
import type { Plays } from '../support/scenario.ts';
import { ServerFixture } from '../support/server-fixture.ts';
import type { Answer, Session, Variant } from '../support/session.ts';

const { cluster: cds, endpoint: eds, listener: lds, routeConfiguration: rds } = typeUrls;

/** A client that follows every reference, as Envoy does, and answers at once. */
class FollowingClient {
  readonly #session: Session;
  readonly clusters = new Set<string>();
  readonly endpoints = new Set<string>();
  readonly routes = new Map<string, string>();
  readonly order: Answer[] = [];

  constructor(session: Session) {
    this.#session = session;
    session.subscribe(cds);
    session.subscribe(lds);
  }

  /** Takes responses until nothing comes any more; says what a route named that the client did not know. */
  async settle(): Promise<string[]> {
    const dangling: string[] = [];
    for (;;) {
      if ((await this.#session.settled()).length === 0) {
        return dangling;
      }
      while (this.#session.pending().length > 0) {
        const answer = await this.#session.takeAny();
        this.order.push(answer);
        this.#apply(answer);
        dangling.push(...[...this.routes.values()].filter((name) => !this.clusters.has(name)));
        this.#session.ack(answer);
      }
    }
  }

  #apply(answer: Answer): void {
    if (answer.typeUrl === cds) {
      if (this.#session.variant === 'sotw') {
        this.clusters.clear();
      }
      const added = answer.names.filter((name) => !this.endpoints.has(name));
      for (const name of answer.names) {
        this.clusters.add(name);
        this.endpoints.add(name);
      }
      for (const name of answer.removed) {
        this.clusters.delete(name);
      }
      if (added.length > 0) {
        this.#session.subscribe(eds, added);
      }
    } else if (answer.typeUrl === lds && answer.names.length > 0 && this.routes.size === 0) {
      this.#session.subscribe(rds, ['r']);
    } else if (answer.typeUrl === rds) {
      for (const { body } of answer.resources) {
        this.routes.set('r', clusterOf(body?.value ?? new Uint8Array(0)));
      }
    }
  }
}

function clusterOf(bytes: Uint8Array): string {
  const action = RouteConfiguration.decode(bytes).virtualHosts[0]?.routes[0]?.action;
  const specifier = action?.$case === 'route' ? action.value.clusterSpecifier : undefined;
  return specifier?.$case === 'cluster' ? specifier.value : '';
}

/** A service at cluster `to`, with everything it needs. */
const service = (to: string, revision = 1): EncodedResource[] => [
  edsCluster(to),
  endpoints(to),
  listener('l', revision, 'r'),
  route('r', revision, to),
];

async function following(variant: Variant, server: ServerFixture): Promise<FollowingClient> {
  const client = new FollowingClient(server.open(variant));
  assert.deepEqual(await client.settle(), []);
  client.order.length = 0;
  return client;
}

const shortNames = new Map<string, string>([
  [cds, 'CDS'],
  [eds, 'EDS'],
  [lds, 'LDS'],
  [rds, 'RDS'],
]);

/** `CDS(x,y)` and `CDS(-x)`, in the order of the wire. */
function wire(order: readonly Answer[]): string[] {
  return order.map(({ typeUrl, names, removed }) => {
    const parts = [...[...names].sort(), ...removed.map((name) => `-${name}`)];
    return `${shortNames.get(typeUrl)}(${parts.join(',')})`;
  });
}

/** Areas removal, ordering, warming. */
export const orderingPlays: Plays = {
  'sotw-full-state-lds-cds': async () => {
    await using server = await ServerFixture.start();
    const all = Array.from({ length: 100 }, (_, index) => cluster(`c${index}`));
    server.set(all);
    const client = server.sotw();
    client.subscribe(cds);
    await client.takeAndAck(cds);
    server.set(all.map((resource, index) => (index === 7 ? cluster('c7', 2) : resource)));
    assert.equal((await client.take(cds)).names.length, 100);
  },

  'sotw-partial-eds-rds': async () => {
    await using server = await ServerFixture.start();
    const all = Array.from({ length: 100 }, (_, index) => endpoints(`e${index}`));
    server.set(all);
    const client = server.sotw();
    client.names(
      eds,
      all.map(({ name }) => name),
    );
    await client.takeAndAck(eds);
    server.set(all.map((resource, index) => (index === 7 ? endpoints('e7', 2) : resource)));
    assert.deepEqual((await client.take(eds)).names, ['e7']);
  },

  'sotw-empty-cds-server': async () => {
    await using server = await ServerFixture.start();
    server.set([cluster('a')]);
    const client = server.sotw();
    client.subscribe(cds);
    const first = await client.takeAndAck(cds);
    server.set([]);
    const second = await client.take(cds);
    assert.deepEqual(second.names, []);
    assert.notEqual(second.version, first.version);
  },

  'removal-order': async (variant) => {
    await using server = await ServerFixture.start();
    server.set([...service('x'), edsCluster('y'), endpoints('y')]);
    const client = await following(variant, server);
    server.set(
      service('y', 2)
        .filter(({ typeUrl }) => typeUrl !== lds)
        .concat(listener('l', 1, 'r')),
    );
    assert.deepEqual(await client.settle(), []);
    const order = wire(client.order);
    assert.equal(order[0], 'RDS(r)');
    assert.equal(order[1], variant === 'sotw' ? 'CDS(y)' : 'CDS(-x)');
    assert.ok(order.indexOf('EDS(-x)') !== 0 && order.lastIndexOf('EDS(-x)') !== 1);
  },

  'order-make-before-break': async (variant) => {
    await using server = await ServerFixture.start();
    server.set(service('x'));
    const client = await following(variant, server);
    server.set(service('y', 2).map((resource) => (resource.typeUrl === lds ? listener('l', 1, 'r') : resource)));
    assert.deepEqual(await client.settle(), [], 'at no point does a route name an unknown cluster');
    const order = wire(client.order);
    const wanted =
      variant === 'sotw'
        ? ['CDS(x,y)', 'EDS(y)', 'RDS(r)', 'CDS(y)']
        : ['CDS(y)', 'EDS(y)', 'RDS(r)', 'CDS(-x)', 'EDS(-x)'];
    assert.deepEqual(order, wanted);
  },

  'order-cds-before-eds': async (variant) => {
    await using server = await ServerFixture.start();
    const client = server.open(variant);
    client.subscribe(eds, ['a']); // Asked for first, and yet the cluster comes first.
    client.subscribe(cds);
    await client.settled();
    server.set([edsCluster('a'), endpoints('a')]);
    const first = await client.takeAny();
    assert.equal(first.typeUrl, cds);
    client.ack(first);
    assert.equal((await client.takeAny()).typeUrl, eds);
  },

  'order-lds-after-cds-eds': async (variant) => {
    await using server = await ServerFixture.start();
    server.set([]);
    const client = await following(variant, server);
    server.set(service('x'));
    assert.deepEqual(await client.settle(), []);
    assert.deepEqual(wire(client.order), ['CDS(x)', 'EDS(x)', 'LDS(l)', 'RDS(r)']);
  },

  'order-types-in-one-change': async () => {
    await using server = await ServerFixture.start();
    server.set(service('x'));
    const client = await following('sotw', server);
    server.set([edsCluster('x', 2), endpoints('x', 2), listener('l', 2, 'r'), route('r', 2, 'x')]);
    assert.deepEqual(await client.settle(), []);
    assert.deepEqual(wire(client.order), ['CDS(x)', 'EDS(x)', 'LDS(l)', 'RDS(r)']);
  },

  'order-one-version-per-snapshot': async (variant) => {
    await using server = await ServerFixture.start();
    const client = server.open(variant);
    client.subscribe(cds);
    const seen: bigint[] = [];
    for (let revision = 1; revision <= 50; revision += 1) {
      server.set([cluster('a', revision)]);
      if (revision % 7 === 0) {
        seen.push(revisionOf(await client.takeAndAck(cds)));
      }
    }
    while (seen.at(-1) !== 50n) {
      seen.push(revisionOf(await client.takeAndAck(cds)));
    }
    assert.deepEqual(
      seen,
      [...seen].sort((a, b) => Number(a - b)),
      'states never go backwards',
    );
    assert.deepEqual(await client.settled(), []);
  },

  'order-flow-control': async () => {
    await using server = await ServerFixture.start();
    server.set([cluster('a')]);
    const client = server.sotw();
    client.subscribe(cds);
    const first = await client.take(cds);
    for (let revision = 2; revision <= 11; revision += 1) {
      server.set([cluster('a', revision)]);
    }
    assert.deepEqual(await client.settled(), [], 'one response is in flight');
    client.ack(first);
    assert.equal(revisionOf(await client.takeAndAck(cds)), 11n);
    assert.deepEqual(await client.settled(), []);
  },

  'warm-cluster-update-eds-resend': async (variant) => {
    await using server = await ServerFixture.start();
    server.set([edsCluster('c'), endpoints('c')]);
    const client = server.open(variant);
    client.subscribe(cds);
    await client.takeAndAck(cds);
    client.subscribe(eds, ['c']);
    await client.takeAndAck(eds);
    server.set([edsCluster('c', 2), endpoints('c')]);
    const changed = await client.take(cds);
    client.subscribe(eds, ['c']);
    client.ack(changed);
    assert.deepEqual((await client.takeAndAck(eds)).names, ['c']);
    if (variant === 'sotw') {
      assert.deepEqual(await client.settled(), [], 'once is enough');
    }
  },

  'warm-cluster-update-eds-resend-delta': async () => {
    await using server = await ServerFixture.start();
    server.set([edsCluster('c'), endpoints('c')]);
    const client = server.delta();
    client.subscribe(cds);
    await client.takeAndAck(cds);
    client.subscribe(eds, ['c']);
    const first = await client.takeAndAck(eds);
    server.set([edsCluster('c', 2), endpoints('c')]);
    await client.takeAndAck(cds);
    // Even a client that does not ask again gets an answer: it is warming the cluster.
    const second = await client.takeAndAck(eds);
    assert.deepEqual(second.resources, first.resources);
    client.subscribe(eds, ['c']);
    assert.deepEqual((await client.take(eds)).resources, first.resources);
  },
};

/** `cluster` puts the revision into the connect timeout. */
function revisionOf(answer: Answer): bigint {
  return Cluster.decode(answer.resources[0]?.body?.value ?? new Uint8Array(0)).connectTimeout?.seconds ?? 0n;
}
