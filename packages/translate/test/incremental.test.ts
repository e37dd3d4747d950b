import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalText, validate } from '@weft/ir';
import type { KubeObject } from '@weft/resources';
import { seededRandom } from '@weft/testkit';
import {
  clusterLoadAssignment,
  endpointNames,
  gatewayApiStatus,
  MeshState,
  proxyMessages,
  resourceStatus,
  virtualHostOnDemand,
  workloadIr,
} from '../src/index.ts';
import { randomGatewayObject } from './golden/random-gateway-object.ts';

/**
 * The same resources give the same configuration, whatever came before: after each of many random changes everything is compared
 * with a state that was made from the current resources at once. And what a change is said to affect is what it affects.
 */

const rounds = 150;
const observed = ['a:80', 'b:80', 'a.n2', 'x.example', 'y.wild.example', 'c'];

type Random = () => number;

function pick<T>(random: Random, items: readonly T[]): T {
  return items[Math.floor(random() * items.length)] as T;
}

function chance(random: Random, probability: number): boolean {
  return random() < probability;
}

const namespaces = ['n1', 'n2', 'weft-system'];
const names = ['a', 'b', 'c'];
const versions = ['v1', 'v2'];
const policies = [
  { outlierDetection: { consecutive5xxErrors: 3 } },
  {
    outlierDetection: {},
    loadBalancer: { localityLbSetting: { failoverPriority: ['version', 'topology.kubernetes.io/region'] } },
  },
  { loadBalancer: { localityLbSetting: { distribute: [{ from: 'eu/*', to: { 'us/*': 10, 'eu/*': 90 } }] } } },
  { loadBalancer: { consistentHash: { httpHeaderName: 'x-user' } } },
];

function randomObject(random: Random, counter: number): KubeObject {
  const namespace = pick(random, namespaces);
  const name = pick(random, names);
  const make = (apiVersion: string, kind: string, body: object): KubeObject =>
    ({
      apiVersion,
      kind,
      metadata: {
        name,
        namespace,
        generation: counter,
        creationTimestamp: `2026-01-0${1 + Math.floor(random() * 3)}T00:00:00Z`,
      },
      ...body,
    }) as KubeObject;
  const host = pick(random, ['a', 'b', 'a.n1', 'b.n2.svc.cluster.local', 'x.example', '*.example', '*.cluster.local']);
  const mode = pick(random, ['STRICT', 'PERMISSIVE', 'DISABLE', 'UNSET']);
  const exportTo = chance(random, 0.2) ? { exportTo: [pick(random, ['.', 'n1', '*'])] } : {};
  const selector = { app: pick(random, names), ...(chance(random, 0.3) ? { version: pick(random, versions) } : {}) };
  switch (Math.floor(random() * 9)) {
    case 0:
      return make('v1', 'Service', {
        spec: { selector, ports: [{ name: pick(random, ['http', 'tcp-x']), port: 80, targetPort: 8080 }] },
      });
    case 1:
    case 2:
      return make('networking.istio.io/v1', 'WorkloadEntry', {
        spec: {
          address: `10.0.0.${Math.floor(random() * 3)}`,
          ports: { http: 15_000 + Math.floor(random() * 3) },
          labels: {
            app: pick(random, names),
            version: pick(random, versions),
            ...(chance(random, 0.6) ? { 'gateway.networking.k8s.io/gateway-name': pick(random, names) } : {}),
          },
          serviceAccount: pick(random, names),
          ...(chance(random, 0.5) ? { locality: pick(random, ['eu/1', 'eu/2', 'us/1']) } : {}),
        },
        ...(chance(random, 0.2) ? { status: { conditions: [{ type: 'Healthy', status: 'False' }] } } : {}),
      });
    case 3:
      return make('networking.istio.io/v1', 'VirtualService', {
        spec: {
          hosts: [host],
          ...exportTo,
          ...(chance(random, 0.3) ? { gateways: ['mesh', pick(random, ['a', 'n2/b'])] } : {}),
          http: [
            {
              ...(chance(random, 0.3) ? { match: [{ sourceNamespace: 'n1' }, { sourceLabels: { app: 'a' } }] } : {}),
              route: [
                { destination: { host: pick(random, ['a', 'b', 'x.example', 'nosuch']) }, weight: 50 },
                { destination: { host: 'a', subset: pick(random, versions) }, weight: counter % 7 },
              ],
            },
          ],
          tcp: [{ route: [{ destination: { host: 'b' } }] }],
        },
      });
    case 4:
      return make('networking.istio.io/v1', 'DestinationRule', {
        spec: {
          host,
          ...exportTo,
          subsets: [{ name: pick(random, versions), labels: { version: pick(random, versions) } }],
          ...(chance(random, 0.3) ? { trafficPolicy: { tls: { mode: pick(random, ['DISABLE', 'SIMPLE']) } } } : {}),
          ...(chance(random, 0.4) ? { trafficPolicy: pick(random, policies) } : {}),
          ...(chance(random, 0.2) ? { workloadSelector: { matchLabels: { app: 'a' } } } : {}),
        },
      });
    case 5:
      return make('security.istio.io/v1', 'PeerAuthentication', {
        spec: {
          mtls: { mode },
          ...(chance(random, 0.4)
            ? { selector: { matchLabels: { app: pick(random, names) } }, portLevelMtls: { 8080: { mode: 'DISABLE' } } }
            : {}),
        },
      });
    case 6:
      return make('networking.istio.io/v1', 'ServiceEntry', {
        spec: {
          hosts: [pick(random, ['x.example', '*.wild.example', 'a.n1.svc.cluster.local'])],
          ...exportTo,
          resolution: pick(random, ['STATIC', 'DNS', 'NONE']),
          ports: [{ number: 80, name: 'http', protocol: 'HTTP' }],
          ...(chance(random, 0.5)
            ? { workloadSelector: { labels: { app: pick(random, names) } } }
            : { endpoints: [{ address: '192.0.2.1', labels: { version: pick(random, versions) } }] }),
        },
      });
    case 7:
      return make('networking.istio.io/v1', 'Sidecar', {
        spec: {
          ...(chance(random, 0.4) ? { workloadSelector: { labels: { app: pick(random, names) } } } : {}),
          ...(chance(random, 0.7)
            ? { egress: [{ hosts: [pick(random, ['*/*', './*', 'n2/*', '*/a.n1.svc.cluster.local'])] }] }
            : {}),
          ...(chance(random, 0.5) ? { outboundTrafficPolicy: { mode: 'ALLOW_ANY' } } : {}),
        },
      });
    default:
      return make('weft.dev/v1alpha1', 'Proxy', {
        spec: {
          serviceAccount: pick(random, names),
          httpProxy: { port: 15_080 },
          draining: chance(random, 0.2),
          inbound: [{ name: 'http', port: 15_001, appPort: 8080 }],
          upstreams: [
            { host: 'a', port: 80, listenPort: 15_200 },
            { host: pick(random, ['b', 'x.example']), port: 80, listenPort: 15_201 },
          ],
          ...(chance(random, 0.5) ? { role: 'gateway' } : {}),
        },
      });
  }
}

/** Everything that a state says, as text by subject. */
function everything(state: MeshState): {
  readonly configuration: Map<string, string>;
  readonly endpoints: Map<string, string>;
} {
  const configuration = new Map<string, string>();
  const endpoints = new Map<string, string>();
  for (const key of state.proxyKeys()) {
    const ir = workloadIr(state, key, observed);
    assert.ok(ir !== undefined);
    assert.deepEqual(validate(ir), []);
    configuration.set(key, canonicalText(ir));
    for (const message of proxyMessages(state, key, ir)) {
      configuration.set(`${key} ${message.typeUrl} ${message.name}`, Buffer.from(message.encode()).toString('base64'));
    }
    for (const authority of observed) {
      const { known, message } = virtualHostOnDemand(state, key, authority);
      configuration.set(
        `${key} on demand ${authority}`,
        `${known} ${Buffer.from(message.encode()).toString('base64')}`,
      );
    }
    for (const name of endpointNames(ir)) {
      const assignment = clusterLoadAssignment(state, key, name);
      endpoints.set(`${key} ${name}`, Buffer.from(assignment.encode()).toString('base64'));
    }
  }
  return { configuration, endpoints };
}

function statuses(state: MeshState): readonly string[] {
  return [...resourceStatus(state), ...gatewayApiStatus(state)]
    .map(([key, status]) => `${key} ${canonicalText(status)}`)
    .sort();
}

for (const [seed, gatewayShare] of [
  [1, 0],
  [2, 0],
  [3, 0],
  [4, 0.6],
  [10, 0.6],
  [5, 0.6],
  [6, 0.5],
  [7, 0.8],
  [8, 0.8],
] as const) {
  test(`a state after ${rounds} random changes is as one made at once (seed ${seed}, gateways ${gatewayShare})`, () => {
    const random = seededRandom(seed);
    const objects = new Map<string, KubeObject>();
    const disconnected = new Set<string>();
    const state = new MeshState();
    let before = everything(state);
    let quiet = 0;
    for (let round = 1; round <= rounds; round += 1) {
      const object = chance(random, gatewayShare)
        ? randomGatewayObject(random, round, namespaces)
        : randomObject(random, round);
      const key = `${object.apiVersion}/${object.kind}/${object.metadata.namespace}/${object.metadata.name}`;
      const previous = objects.get(key);
      const proxyKey = `${object.metadata.namespace}/${object.metadata.name}`;
      const effect = ((): ReturnType<MeshState['apply']> => {
        if (chance(random, 0.15)) {
          const connected = disconnected.delete(proxyKey);
          if (!connected) {
            disconnected.add(proxyKey);
          }
          return state.setProxyConnected(proxyKey, connected);
        }
        if (previous !== undefined && chance(random, 0.4)) {
          objects.delete(key);
          if (object.kind === 'Proxy') {
            disconnected.delete(proxyKey);
          }
          return state.apply([{ value: undefined, previous }]);
        }
        objects.set(key, object);
        return state.apply([{ value: object, previous }]);
      })();

      const fresh = new MeshState();
      fresh.apply([...objects.values()].map((value) => ({ value })));
      for (const name of disconnected) {
        fresh.setProxyConnected(name, false);
      }
      const after = everything(state);
      assert.deepEqual(after, everything(fresh), `round ${round}: ${key}`);
      assert.deepEqual(statuses(state), statuses(fresh), `round ${round}: ${key}`);

      if (!effect.config) {
        quiet += 1;
        assert.deepEqual(
          after.configuration,
          before.configuration,
          `round ${round}: ${key} said to be about endpoints only`,
        );
        for (const [name, text] of after.endpoints) {
          if (text !== before.endpoints.get(name)) {
            assert.ok(
              effect.endpointServices.has(name.split(' ')[1] ?? ''),
              `round ${round}: ${name} changed unannounced`,
            );
          }
        }
      }
      before = after;
    }
    assert.ok(gatewayShare > 0 || quiet > rounds / 10, `only ${quiet} changes took the short path`);
  });
}
