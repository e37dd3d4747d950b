/**
 * What a change costs the control plane before anything is sent: a mesh of 1,000 services with 2 workloads each, 200 proxies
 * of which each uses 20 services; a gateway shows every service under a host of its own. CPU time by `process.cpuUsage`, median of repetitions. Usage: `node bench/micro/translate.ts [services] [proxies]`
 */
import type { KubeObject } from '@weft/resources';
import {
  clusterLoadAssignment,
  loadAssignments,
  MeshState,
  resourceStatus,
  workloadIr,
  type XdsMessage,
  xdsFromIr,
} from '@weft/translate';

const services = Number(process.argv[2] ?? 1000);
const proxies = Number(process.argv[3] ?? 200);
const hostsPerProxy = 20;
const instancesPerService = 2;

let generation = 1;

function object(apiVersion: string, kind: string, name: string, spec: unknown): KubeObject {
  const metadata = { name, namespace: 'shop', generation, creationTimestamp: '2026-01-01T00:00:00Z' };
  return { apiVersion, kind, metadata, spec } as KubeObject;
}

function virtualService(index: number, weight: number): KubeObject {
  return object('networking.istio.io/v1', 'VirtualService', `svc-${index}`, {
    hosts: [`svc-${index}`, `svc-${index}.example`],
    gateways: ['mesh', 'public'],
    http: [
      {
        match: [{ uri: { prefix: '/api' }, headers: { 'x-user': { exact: 'jason' } } }],
        route: [{ destination: { host: `svc-${index}`, subset: 'v2' } }],
      },
      {
        route: [
          { destination: { host: `svc-${index}`, subset: 'v1' }, weight },
          { destination: { host: `svc-${index}`, subset: 'v2' }, weight: 100 - weight },
        ],
      },
    ],
  });
}

function workloadEntry(index: number, instance: number, port: number): KubeObject {
  return object('networking.istio.io/v1', 'WorkloadEntry', `svc-${index}-${instance}`, {
    address: `10.${index >> 8}.${index & 255}.${instance + 1}`,
    ports: { http: port },
    labels: { app: `svc-${index}`, version: `v${instance + 1}` },
    serviceAccount: `svc-${index}`,
  });
}

function mesh(): KubeObject[] {
  const objects: KubeObject[] = [];
  for (let index = 0; index < services; index += 1) {
    objects.push(
      object('v1', 'Service', `svc-${index}`, {
        selector: { app: `svc-${index}` },
        ports: [{ name: 'http', port: 8080, targetPort: 8080 }],
      }),
      object('networking.istio.io/v1', 'DestinationRule', `svc-${index}`, {
        host: `svc-${index}`,
        subsets: [
          { name: 'v1', labels: { version: 'v1' } },
          { name: 'v2', labels: { version: 'v2' } },
        ],
      }),
      virtualService(index, 90),
    );
    for (let instance = 0; instance < instancesPerService; instance += 1) {
      objects.push(workloadEntry(index, instance, 15_001));
    }
  }
  for (let index = 0; index < proxies; index += 1) {
    objects.push(
      object('weft.dev/v1alpha1', 'Proxy', `svc-${index}-0`, {
        serviceAccount: `svc-${index}`,
        httpProxy: { port: 15_080 },
        inbound: [{ name: 'http', port: 15_001, appPort: 8080 }],
      }),
    );
  }
  objects.push(
    object('networking.istio.io/v1', 'Gateway', 'public', {
      selector: { istio: 'ingress' },
      servers: [{ port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['*.example'] }],
    }),
    object('networking.istio.io/v1', 'WorkloadEntry', 'gateway', {
      address: '10.255.0.1',
      labels: { istio: 'ingress' },
      serviceAccount: 'gateway',
    }),
    object('weft.dev/v1alpha1', 'Proxy', 'gateway', { serviceAccount: 'gateway', role: 'gateway' }),
  );
  return objects;
}

function cpuMs(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

function report(what: string, values: readonly number[], note: string): void {
  process.stdout.write(
    `${what.padEnd(58)} ${median(values).toFixed(2).padStart(9)} ms   max ${Math.max(...values).toFixed(2)} ms   ${note}\n`,
  );
}

const state = new MeshState();
const objects = mesh();
const observed = (proxy: number): string[] =>
  Array.from({ length: hostsPerProxy }, (_, host) => `svc-${(proxy * 7 + host * 13) % services}:8080`);
const hosts = Array.from({ length: proxies }, (_, index) => observed(index));
const known = new WeakSet<XdsMessage>();
let made = 0;

/** What the control plane does for each proxy: everything, encoded; counts messages that were not there before. */
function publishAll(): void {
  made = 0;
  publishGateway();
  for (let index = 0; index < proxies; index += 1) {
    const key = `shop/svc-${index}-0`;
    const ir = workloadIr(state, key, hosts[index] ?? []);
    if (ir === undefined) {
      throw new Error(`no proxy ${key}`);
    }
    for (const message of xdsFromIr(ir)) {
      count(message);
    }
    for (const assignment of loadAssignments(state, key, ir).values()) {
      count(assignment);
    }
  }
}

function publishGateway(): void {
  const ir = workloadIr(state, 'shop/gateway', []);
  for (const message of ir === undefined ? [] : xdsFromIr(ir)) {
    count(message);
  }
  for (const assignment of ir === undefined ? [] : loadAssignments(state, 'shop/gateway', ir).values()) {
    count(assignment);
  }
}

function count(message: XdsMessage): void {
  if (!known.has(message)) {
    known.add(message);
    message.encode();
    made += 1;
  }
}

process.stdout.write(
  `${services} services of ${instancesPerService} workloads, ${proxies} proxies with ${hostsPerProxy} hosts each; CPU time\n`,
);
report(
  'index all resources',
  [cpuMs(() => state.apply(objects.map((value) => ({ value }))))],
  `${objects.length} objects`,
);
report('first configuration of all proxies, encoded', [cpuMs(publishAll)], `${made} messages`);
report(
  'nothing changed',
  Array.from({ length: 20 }, () => cpuMs(publishAll)),
  `${made} messages`,
);

const repetitions = 50;
const routeChange: number[] = [];
const oneProxy: number[] = [];
for (let round = 0; round < repetitions; round += 1) {
  generation += 1;
  const change = [{ value: virtualService(round % services, round % 100) }];
  routeChange.push(
    cpuMs(() => {
      state.apply(change);
      publishAll();
    }),
  );
}
report('one VirtualService changed, all proxies', routeChange, `${made} messages made again in the last round`);

for (let round = 0; round < repetitions; round += 1) {
  generation += 1;
  const change = [{ value: virtualService(0, round % 100) }];
  oneProxy.push(
    cpuMs(() => {
      state.apply(change);
      const ir = workloadIr(state, 'shop/svc-0-0', hosts[0] ?? []);
      for (const message of ir === undefined ? [] : xdsFromIr(ir)) {
        count(message);
      }
    }),
  );
}
report('one VirtualService changed, one proxy', oneProxy, '');

const gatewayChange: number[] = [];
for (let round = 0; round < repetitions; round += 1) {
  generation += 1;
  const change = [{ value: virtualService(round % services, (round + 50) % 100) }];
  gatewayChange.push(
    cpuMs(() => {
      state.apply(change);
      publishGateway();
    }),
  );
}
report('one VirtualService changed, the gateway of all', gatewayChange, '');

const endpointChange: number[] = [];
for (let round = 0; round < repetitions; round += 1) {
  const change = [{ value: workloadEntry(round % services, 0, 16_000 + round) }];
  endpointChange.push(
    cpuMs(() => {
      const { endpointServices } = state.apply(change);
      for (const name of endpointServices) {
        clusterLoadAssignment(state, 'shop/svc-0-0', name).encode();
      }
    }),
  );
}
report('one endpoint changed, its load assignments', endpointChange, '');

report('status of all resources', [cpuMs(() => resourceStatus(state))], 'first time');
report(
  'status of all resources',
  Array.from({ length: 10 }, () => cpuMs(() => resourceStatus(state))),
  'again',
);
