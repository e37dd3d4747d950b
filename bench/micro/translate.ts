/**
 * What a change costs the control plane before anything is sent: a mesh of 1,000 services with 2 workloads each, 200 proxies
 * of which each uses 20 services; a gateway shows every service under a host of its own, two more by Gateway API: at one listener, and at an HTTPS listener for each. CPU time by `process.cpuUsage`, median of repetitions. Usage: `node bench/micro/translate.ts [services] [proxies]`
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

/** The same by Gateway API, at both of its Gateways. */
function httpRoute(index: number, weight: number): KubeObject {
  const backend = { name: `svc-${index}`, port: 8080 };
  return object('gateway.networking.k8s.io/v1', 'HTTPRoute', `svc-${index}`, {
    parentRefs: [{ name: 'edge' }, { name: 'edge-tls', sectionName: `https-${index}` }],
    hostnames: [`svc-${index}.shop.example`],
    rules: [
      {
        matches: [{ path: { type: 'PathPrefix', value: '/api' }, headers: [{ name: 'x-user', value: 'jason' }] }],
        backendRefs: [backend],
      },
      {
        backendRefs: [
          { ...backend, weight },
          { name: `svc-${(index + 1) % services}`, port: 8080, weight: 100 },
        ],
      },
    ],
  });
}

function gatewayApiObjects(): KubeObject[] {
  const certificateRefs = [{ name: 'shop-example' }];
  const listeners = Array.from({ length: services }, (_, index) => ({
    ...{ name: `https-${index}`, port: 443, protocol: 'HTTPS', hostname: `svc-${index}.shop.example` },
    tls: { certificateRefs },
  }));
  return [
    object('gateway.networking.k8s.io/v1', 'GatewayClass', 'weft', { controllerName: 'weft.dev/gateway-controller' }),
    object('gateway.networking.k8s.io/v1', 'Gateway', 'edge', {
      gatewayClassName: 'weft',
      listeners: [{ name: 'http', port: 80, protocol: 'HTTP', hostname: '*.shop.example' }],
    }),
    object('gateway.networking.k8s.io/v1', 'Gateway', 'edge-tls', { gatewayClassName: 'weft', listeners }),
    certificateSecret('shop-example', '*.shop.example'),
    ...['edge', 'edge-tls'].flatMap((name) => [
      object('networking.istio.io/v1', 'WorkloadEntry', name, {
        address: '10.255.0.2',
        labels: { 'gateway.networking.k8s.io/gateway-name': name },
        serviceAccount: name,
      }),
      object('weft.dev/v1alpha1', 'Proxy', name, { serviceAccount: name, role: 'gateway' }),
    ]),
  ];
}

function certificateSecret(name: string, host: string): KubeObject {
  const folder = mkdtempSync(join(tmpdir(), 'weft-translate-'));
  const [key, certificate] = [join(folder, 'key'), join(folder, 'certificate')];
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
      ...['-subj', '/CN=bench', '-addext', `subjectAltName=DNS:${host}`, '-keyout', key, '-out', certificate],
    ],
    { stdio: 'ignore' },
  );
  const data = { 'tls.crt': readFileSync(certificate, 'base64'), 'tls.key': readFileSync(key, 'base64') };
  rmSync(folder, { recursive: true });
  return { ...object('v1', 'Secret', name, undefined), type: 'kubernetes.io/tls', data } as KubeObject;
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
      httpRoute(index, 90),
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
    ...gatewayApiObjects(),
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
const gateways = ['gateway', 'edge', 'edge-tls'];
const known = new WeakSet<XdsMessage>();
let made = 0;

/** What the control plane does for each proxy: everything, encoded; counts messages that were not there before. */
function publishAll(): void {
  made = 0;
  for (const name of gateways) {
    publishGateway(name);
  }
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

function publishGateway(name: string): void {
  const key = `shop/${name}`;
  const ir = workloadIr(state, key, []);
  for (const message of ir === undefined ? [] : xdsFromIr(ir)) {
    count(message);
  }
  for (const assignment of ir === undefined ? [] : loadAssignments(state, key, ir).values()) {
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

for (const name of gateways) {
  const times: number[] = [];
  for (let round = 0; round < repetitions; round += 1) {
    generation += 1;
    const index = round % services;
    const changed = name === 'gateway' ? virtualService(index, (round + 50) % 100) : httpRoute(index, round % 100);
    times.push(
      cpuMs(() => {
        state.apply([{ value: changed }]);
        publishGateway(name);
      }),
    );
  }
  const kind = name === 'gateway' ? 'VirtualService' : 'HTTPRoute';
  report(`one ${kind} changed, ${name}, the gateway of all`, times, `${made} messages made`);
}

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

const statuses: number[] = [];
for (let round = 0; round < repetitions; round += 1) {
  generation += 1;
  state.apply([{ value: httpRoute(round % services, round % 100) }]);
  publishAll();
  statuses.push(cpuMs(() => resourceStatus(state)));
}
report('status of all resources', statuses, 'after one HTTPRoute changed');
