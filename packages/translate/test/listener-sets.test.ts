import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GatewayListener } from '@weft/ir';
import type { KubeObject } from '@weft/resources';
import { gatewayApiStatus, type MeshState } from '../src/index.ts';
import { irOf, objectsOf, stateOf as stateOfAll, statusOf } from './support/objects.ts';

/** Listeners that ListenerSets add to a Gateway: who may, in which order, and what is said of them. */

interface Place {
  readonly namespace?: string;
  /** Of the day of creation. */
  readonly day?: number;
}

const edge = objectsOf('edge');
const shop = objectsOf('shop');

const gatewayApi = (
  kind: string,
  name: string,
  spec: object,
  { namespace = 'edge', day = 1 }: Place = {},
): KubeObject => objectsOf(namespace).gatewayApi(kind, name, spec, { creationTimestamp: `2026-01-0${day}T00:00:00Z` });

const base: readonly KubeObject[] = [...edge.gatewayProxy('p', 'g'), shop.service('a')];

const stateOf = (objects: readonly KubeObject[]): MeshState => stateOfAll([...base, ...objects]);

const sockets = (state: MeshState): readonly GatewayListener[] => irOf(state, 'edge/p').gateway;

const http = (name: string, hostname?: string, fields: object = {}): object => ({
  name,
  port: 80,
  protocol: 'HTTP',
  ...(hostname === undefined ? {} : { hostname }),
  ...fields,
});
const https = (name: string, hostname: string, certificate: object, fields: object = {}): object => ({
  name,
  port: 443,
  protocol: 'HTTPS',
  hostname,
  tls: { certificateRefs: [certificate] },
  ...fields,
});

const gateway = (listeners: readonly object[], namespaces: object | null = { from: 'All' }): KubeObject =>
  gatewayApi('Gateway', 'g', {
    gatewayClassName: 'weft',
    ...(namespaces === null ? {} : { allowedListeners: { namespaces } }),
    listeners,
  });
const set = (name: string, listeners: readonly object[], place: Place = { namespace: 'shop' }): KubeObject =>
  gatewayApi('ListenerSet', name, { parentRef: { name: 'g', namespace: 'edge' }, listeners }, place);
const route = (name: string, parentRefs: readonly object[], place: Place = { namespace: 'shop' }): KubeObject =>
  gatewayApi('HTTPRoute', name, { parentRefs, rules: [{ backendRefs: [{ name: 'a', port: 80 }] }] }, place);
const toSet = (name: string, fields: object = {}): object => ({ kind: 'ListenerSet', name, ...fields });

function said(
  conditions: readonly { readonly type: string; readonly status: string; readonly reason: string }[],
): string {
  return conditions.map(({ type, status, reason }) => `${type}=${status}/${reason}`).join(' ');
}

/** Conditions of a ListenerSet, then of its listeners. */
function setSaid(state: MeshState, name: string): readonly string[] {
  const { conditions, listeners } = statusOf(state, 'listener-set', name);
  return [
    said(conditions),
    ...listeners.map((listener) => `${listener.name} ${listener.attachedRoutes} ${said(listener.conditions)}`),
  ];
}

const hosts = (state: MeshState): readonly (readonly [string, number])[] =>
  sockets(state).flatMap(({ virtualHosts }) =>
    virtualHosts.map(({ domains, routes }): [string, number] => [domains[0] ?? '', routes.routes.length]),
  );

// Without a proxy that is registered as a gateway with an address nothing is programmed: `p` has one.
const programmed = 'Accepted=True/Accepted Programmed=True/Programmed';
const listenerProgrammed =
  'Accepted=True/Accepted Conflicted=False/NoConflicts ResolvedRefs=True/ResolvedRefs Programmed=True/Programmed';

test('a ListenerSet adds listeners to the Gateway that allows it, and routes attach to them', () => {
  const state = stateOf([
    gateway([http('own', 'own.example')]),
    set('s', [http('one', 'one.example'), http('two', 'two.example')]),
    route('r', [toSet('s')]),
    route('two', [toSet('s', { sectionName: 'two' })]),
    route('gateway', [{ name: 'g', namespace: 'edge' }]),
  ]);
  assert.deepEqual(hosts(state), [
    ['one.example', 1],
    ['own.example', 0],
    ['two.example', 2],
  ]);
  assert.deepEqual(setSaid(state, 's'), [programmed, `one 1 ${listenerProgrammed}`, `two 2 ${listenerProgrammed}`]);
  const own = statusOf(state, 'gateway', 'g');
  assert.equal(own.attachedListenerSets, 1);
  assert.deepEqual(
    own.listeners.map(({ name, attachedRoutes }) => [name, attachedRoutes]),
    [['own', 0]],
    'listeners of others are not in the status of the Gateway, and routes of its own listeners are not theirs',
  );
  const accepted = (name: string) => said(statusOf(state, 'route', name).parents[0]?.conditions.slice(0, 1) ?? []);
  assert.equal(accepted('r'), 'Accepted=True/Accepted');
  assert.equal(
    accepted('gateway'),
    'Accepted=False/NotAllowedByListeners',
    'allowedRoutes Same is of the Gateway there',
  );
});

test('nobody may add listeners unless the Gateway says who', () => {
  const listeners = [http('one', 'one.example')];
  const team = {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'shop', labels: { team: 'shop' } },
  } as KubeObject;
  const verdict = (namespaces: object | null, more: readonly KubeObject[] = []): string | undefined =>
    setSaid(stateOf([gateway([http('own')], namespaces), set('s', listeners), ...more]), 's')[0];
  const refused = 'Accepted=False/NotAllowed Programmed=False/NotAllowed';
  assert.equal(verdict(null), refused);
  assert.equal(verdict({ from: 'None' }), refused);
  assert.equal(verdict({ from: 'Same' }), refused);
  assert.equal(verdict({ from: 'All' }), programmed);
  const selector = { matchLabels: { team: 'shop' } };
  assert.equal(verdict({ from: 'Selector', selector }), refused);
  assert.equal(verdict({ from: 'Selector', selector }, [team]), programmed);
  const beside = stateOf([gateway([http('own')], { from: 'Same' }), set('s', listeners, { namespace: 'edge' })]);
  assert.equal(setSaid(beside, 's')[0], programmed);
});

test('what is not allowed opens nothing, and says so to the routes that name it', () => {
  const state = stateOf([
    gateway([http('own', 'own.example')], { from: 'None' }),
    set('s', [http('one', 'one.example')]),
    route('r', [toSet('s')]),
  ]);
  assert.deepEqual(hosts(state), [['own.example', 0]]);
  assert.deepEqual(setSaid(state, 's').length, 1);
  assert.equal(statusOf(state, 'gateway', 'g').attachedListenerSets, undefined);
  const [parent] = statusOf(state, 'route', 'r').parents;
  assert.equal(said(parent?.conditions.slice(0, 1) ?? []), 'Accepted=False/NoMatchingParent');
  assert.equal(parent?.conditions[0]?.message, 'ListenerSet shop/s is not attached to its Gateway');
});

test('a set of somebody else’s Gateway, or of another kind of parent, is not spoken about', () => {
  const state = stateOf([
    gatewayApi('Gateway', 'g', { gatewayClassName: 'theirs', listeners: [http('own')] }),
    set('s', [http('one')]),
    gatewayApi('ListenerSet', 'odd', { parentRef: { kind: 'Service', name: 'a' }, listeners: [http('one')] }),
  ]);
  assert.deepEqual(
    [...gatewayApiStatus(state).values()].filter(({ kind }) => kind === 'listener-set'),
    [],
  );
});

test('the Gateway comes first, then the oldest set, then by name: who comes later has the conflict', () => {
  const state = stateOf([
    gateway([http('own', 'own.example')]),
    set('young', [http('one', 'one.example'), http('late', 'late.example')], { namespace: 'shop', day: 3 }),
    set('b', [http('two', 'two.example')], { namespace: 'shop', day: 2 }),
    set('a', [http('two', 'TWO.example'), http('own', 'own.example')], { namespace: 'shop', day: 2 }),
    set('old', [http('one', 'one.example')], { namespace: 'zoo', day: 1 }),
    set('tcp', [{ name: 'tcp', port: 80, protocol: 'TCP' }], { namespace: 'shop', day: 1 }),
  ]);
  const conflicts = (name: string): readonly string[] =>
    statusOf(state, 'listener-set', name).listeners.map(
      (listener) =>
        `${listener.name} ${said(listener.conditions.filter(({ type }) => type === 'Conflicted' || type === 'Programmed'))}`,
    );
  const open = 'Conflicted=False/NoConflicts Programmed=True/Programmed';
  const taken = 'Conflicted=True/HostnameConflict Programmed=False/Invalid';
  assert.deepEqual(conflicts('old'), [`one ${open}`]);
  assert.deepEqual(conflicts('a'), [`two ${open}`, `own ${taken}`]);
  assert.deepEqual(conflicts('b'), [`two ${taken}`]);
  assert.deepEqual(conflicts('young'), [`one ${taken}`, `late ${open}`]);
  assert.deepEqual(conflicts('tcp'), ['tcp Conflicted=True/ProtocolConflict Programmed=False/Invalid']);
  assert.equal(setSaid(state, 'a')[0], 'Accepted=True/ListenersNotValid Programmed=True/Programmed');
  assert.equal(setSaid(state, 'b')[0], 'Accepted=False/ListenersNotValid Programmed=False/ListenersNotValid');
  assert.equal(said(statusOf(state, 'gateway', 'g').conditions), programmed, 'the Gateway does not suffer from it');
  assert.equal(statusOf(state, 'gateway', 'g').attachedListenerSets, 3);
  const [listener] = statusOf(state, 'listener-set', 'b').listeners;
  assert.match(listener?.conditions[1]?.message ?? '', /^port 80 of the Gateway has a listener for the same host$/);
});

test('a listener that lost its place takes no name from the one that has it', () => {
  const state = stateOf([
    gateway([http('own', undefined, { allowedRoutes: { namespaces: { from: 'All' } } })]),
    set('s', [https('steals', 'bank.example', { name: 'nowhere' }, { port: 80 })]),
    gatewayApi(
      'HTTPRoute',
      'bank',
      {
        parentRefs: [{ name: 'g', namespace: 'edge' }],
        hostnames: ['bank.example'],
        rules: [{ backendRefs: [{ name: 'a', port: 80 }] }],
      },
      { namespace: 'shop' },
    ),
  ]);
  assert.deepEqual(hosts(state), [
    ['bank.example', 1],
    ['*', 0],
  ]);
});

test('certificates are of the namespace of the set, and a ReferenceGrant is for ListenerSets', () => {
  const listeners = [https('one', 'one.example', { name: 'pair' })];
  const far = [https('one', 'one.example', { name: 'pair', namespace: 'vault' })];
  const grant = (kind: string): KubeObject =>
    gatewayApi(
      'ReferenceGrant',
      'grant',
      {
        from: [{ group: 'gateway.networking.k8s.io', kind, namespace: 'shop' }],
        to: [{ group: '', kind: 'Secret' }],
      },
      { namespace: 'vault' },
    );
  const resolved = (objects: readonly KubeObject[]): string | undefined =>
    /ResolvedRefs=\S+/.exec(setSaid(stateOf([gateway([http('own')]), ...objects]), 's')[1] ?? '')?.[0];
  assert.equal(resolved([set('s', listeners), edge.keyPair('pair')]), 'ResolvedRefs=False/InvalidCertificateRef');
  const own = [set('s', listeners), shop.keyPair('pair')];
  assert.equal(resolved(own), 'ResolvedRefs=True/ResolvedRefs');
  assert.deepEqual(
    sockets(stateOf([gateway([http('own')]), ...own])).flatMap(({ chains }) =>
      chains.map(({ name, tls }) => [name, tls?.certificates]),
    ),
    [
      ['http-80', undefined],
      ['ListenerSet/shop/s/one', ['kubernetes://shop/pair']],
    ],
  );
  const vault = objectsOf('vault').keyPair('pair');
  assert.equal(resolved([set('s', far), vault]), 'ResolvedRefs=False/RefNotPermitted');
  assert.equal(resolved([set('s', far), vault, grant('Gateway')]), 'ResolvedRefs=False/RefNotPermitted');
  assert.equal(resolved([set('s', far), vault, grant('ListenerSet')]), 'ResolvedRefs=True/ResolvedRefs');
});

test('a Gateway that is not accepted takes none', () => {
  const state = stateOf([
    gateway([https('own', 'own.example', { name: 'nowhere' })]),
    set('s', [http('one', 'one.example')]),
  ]);
  assert.equal(setSaid(state, 's')[0], 'Accepted=False/ParentNotAccepted Programmed=False/ParentNotProgrammed');
  assert.deepEqual(sockets(state), []);
  assert.equal(statusOf(state, 'gateway', 'g').attachedListenerSets, 0);
});

test('a name that a set and the Gateway have in common tells their listeners apart', () => {
  const pair = { name: 'pair' };
  const state = stateOf([
    gateway([https('one', 'a.example', pair)]),
    set('g', [https('one', 'b.example', pair)], { namespace: 'edge' }),
    edge.keyPair('pair'),
  ]);
  const [listener] = sockets(state);
  assert.deepEqual(
    listener?.virtualHosts.map(({ domains, chain }) => [domains[0], chain]),
    [
      ['a.example', 'edge/g/one'],
      ['b.example', 'ListenerSet/edge/g/one'],
    ],
  );
});

test('a thousand sets are translated at once', () => {
  const count = 1_000;
  const sets = Array.from({ length: count }, (_, index) => set(`s${index}`, [http('one', `h${index}.example`)]));
  const state = stateOf([gateway([http('own')]), ...sets]);
  const started = process.cpuUsage();
  assert.equal(hosts(state).length, count + 1);
  assert.equal(statusOf(state, 'gateway', 'g').attachedListenerSets, count);
  const { user, system } = process.cpuUsage(started);
  const tookMs = (user + system) / 1_000;
  assert.ok(tookMs < 5_000, `${tookMs} ms of CPU`);
});

test('a route at a ListenerSet that is not there has no status, whatever Gateway has the same name', () => {
  const state = stateOf([
    gateway([http('own', undefined, { allowedRoutes: { namespaces: { from: 'All' } } })]),
    route('r', [toSet('g', { namespace: 'edge' })]),
  ]);
  assert.deepEqual(statusOf(state, 'route', 'r').parents, []);
  assert.deepEqual(hosts(state), [['*', 0]]);
});

test('a BackendTLSPolicy tells of the Gateway that a route of a ListenerSet leads from', () => {
  const policy = gatewayApi(
    'BackendTLSPolicy',
    'p',
    {
      targetRefs: [{ group: '', kind: 'Service', name: 'a' }],
      validation: { hostname: 'a.example', wellKnownCACertificates: 'System' },
    },
    { namespace: 'shop' },
  );
  const state = stateOf([
    gateway([http('own')]),
    set('s', [http('one', 'one.example')]),
    route('r', [toSet('s')]),
    policy,
  ]);
  assert.deepEqual(
    statusOf(state, 'policy', 'p').ancestors.map(({ ref }) => `${ref.kind} ${ref.namespace}/${ref.name}`),
    ['Gateway edge/g', 'Service shop/a'],
  );
});
