import assert from 'node:assert/strict';
import { eventually } from '@weft/testkit';
import { createKeyPair, tlsSecret } from './certificates.ts';
import type { ConformanceMesh } from './conformance-mesh.ts';
import { listenPort } from './gateway-proxies.ts';
import { type HttpAnswer, sendHttp } from './http-request.ts';
import { className } from './manifests.ts';
import type { StoredObject } from './resource-client.ts';

const apiVersion = 'gateway.networking.k8s.io/v1';
const infra = 'gateway-conformance-infra';
/** Of a team that has no say in the Gateway. */
const team = 'gateway-conformance-web-backend';
const gatewayName = 'own-sets';

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
}

/** Listeners that another namespace adds to a Gateway: they serve, have their own certificates, and go when the Gateway takes them back. */
export async function playListenerSets(mesh: ConformanceMesh): Promise<void> {
  const { resources } = mesh;
  const pair = await createKeyPair(['secure.team.example']);
  const apply = (object: object): Promise<void> => resources.apply(object as StoredObject);
  const of = (kind: string, name: string, namespace: string, spec: object): StoredObject =>
    ({ apiVersion, kind, metadata: { name, namespace }, spec }) as StoredObject;
  const gateway = of('Gateway', gatewayName, infra, {
    gatewayClassName: className,
    allowedListeners: {
      namespaces: { from: 'Selector', selector: { matchLabels: { 'kubernetes.io/metadata.name': team } } },
    },
    listeners: [{ name: 'own', port: 80, protocol: 'HTTP', hostname: 'own.example' }],
  });
  const listeners = [
    { name: 'plain', port: 80, protocol: 'HTTP', hostname: 'plain.team.example' },
    {
      name: 'secure',
      port: 443,
      protocol: 'HTTPS',
      hostname: 'secure.team.example',
      tls: { certificateRefs: [{ name: gatewayName }] },
    },
    { name: 'taken', port: 80, protocol: 'HTTP', hostname: 'own.example' },
  ];
  const parentRef = { name: gatewayName, namespace: infra };
  const route = (name: string, namespace: string, ref: object, backend: string): StoredObject =>
    of('HTTPRoute', name, namespace, {
      parentRefs: [ref],
      rules: [{ backendRefs: [{ name: backend, port: 8080 }] }],
    });
  await apply(tlsSecret(team, gatewayName, pair));
  mesh.gateways.start(gateway);
  await apply(gateway);
  await apply(of('ListenerSet', gatewayName, team, { parentRef, listeners }));
  await apply(
    of('ListenerSet', gatewayName, infra, { parentRef, listeners: [{ ...listeners[0], name: 'not-allowed' }] }),
  );
  await apply(route('own-sets', team, { kind: 'ListenerSet', name: gatewayName }, 'web-backend'));
  await apply(route('own-sets', infra, { name: gatewayName }, 'infra-backend-v1'));

  const { address } = await mesh.place(`${infra}/${gatewayName}`, ['HTTP']);
  const plain = (host: string): Promise<HttpAnswer> =>
    sendHttp({ address, port: listenPort(80), method: 'GET', path: '/', host, headers: {} });
  const secure = (host: string): Promise<HttpAnswer> =>
    sendHttp({
      ...{ address, port: listenPort(443), method: 'GET', path: '/', host, headers: {} },
      tls: { sni: host, trusted: pair.certificate },
    });
  const podOf = async (answer: Promise<HttpAnswer>): Promise<string> => {
    const { status, body } = await answer;
    return status === 200 ? (JSON.parse(body) as { readonly pod: string }).pod : String(status);
  };
  const isServed = async (answer: () => Promise<HttpAnswer>, pod: RegExp, what: string): Promise<void> => {
    await eventually(async () => pod.test(await podOf(answer()).catch((error: Error) => error.message)), { what });
  };
  await isServed(() => plain('plain.team.example'), /^web-backend-/, 'the HTTP listener of the set');
  await isServed(() => secure('secure.team.example'), /^web-backend-/, 'the HTTPS listener of the set');
  await isServed(() => plain('own.example'), /^infra-backend-v1-/, 'the Gateway keeps its own host');

  const statusOf = async (kind: string, namespace: string): Promise<Readonly<Record<string, unknown>>> =>
    (await resources.find(apiVersion, kind, namespace, gatewayName))?.status ?? {};
  const said = (conditions: unknown): Readonly<Record<string, string>> =>
    Object.fromEntries(
      ((conditions ?? []) as readonly Condition[]).map(({ type, status, reason }) => [type, `${status}/${reason}`]),
    );
  const listenersOf = (status: Readonly<Record<string, unknown>>) =>
    Object.fromEntries(
      ((status['listeners'] ?? []) as readonly { name: string; attachedRoutes: number; conditions: unknown }[]).map(
        ({ name, attachedRoutes, conditions }) => {
          const { Conflicted, Programmed } = said(conditions);
          return [name, `${attachedRoutes} ${Conflicted} ${Programmed}`];
        },
      ),
    );
  const holds = (what: string, check: () => Promise<void>): Promise<boolean> =>
    eventually(() => check().then(() => true), { what });
  await holds('the status of the set', async () => {
    const status = await statusOf('ListenerSet', team);
    assert.deepEqual(said(status['conditions']), { Accepted: 'True/ListenersNotValid', Programmed: 'True/Programmed' });
    assert.deepEqual(listenersOf(status), {
      plain: '1 False/NoConflicts True/Programmed',
      secure: '1 False/NoConflicts True/Programmed',
      taken: '1 True/HostnameConflict False/Invalid',
    });
  });
  await holds('the status of the Gateway', async () => {
    const status = await statusOf('Gateway', infra);
    assert.equal(status['attachedListenerSets'], 1);
    assert.deepEqual(said(status['conditions']), { Accepted: 'True/Accepted', Programmed: 'True/Programmed' });
    assert.deepEqual(listenersOf(status), { own: '1 False/NoConflicts True/Programmed' });
  });
  const refused = { Accepted: 'False/NotAllowed', Programmed: 'False/NotAllowed' };
  await holds('the status of the set that is not allowed', async () =>
    assert.deepEqual(said((await statusOf('ListenerSet', infra))['conditions']), refused),
  );

  await resources.patch(gateway, { spec: { allowedListeners: { namespaces: { from: 'None', selector: null } } } });
  await eventually(async () => (await podOf(plain('plain.team.example'))) === '404', { what: 'the listeners go' });
  await holds('nobody listens there any more', () =>
    assert.rejects(secure('secure.team.example'), { code: 'ECONNREFUSED' }),
  );
  assert.match(await podOf(plain('own.example')), /^infra-backend-v1-/);
  await holds('the status of what was taken back', async () => {
    assert.deepEqual(said((await statusOf('ListenerSet', team))['conditions']), refused);
    assert.equal((await statusOf('Gateway', infra))['attachedListenerSets'], 0);
  });
}
