import { declareKind, type ObjectOf } from '../../declare-kind.ts';
import { age } from '../../format/columns.ts';
import { conditions } from '../../schema/conditions.ts';
import { choice, flag, keyedList, list, object, port, text, time } from '../../schema/fields.ts';
import { validateProxy } from './proxy-validation.ts';

function proxySpec() {
  return object(
    'What the proxy is asked to be.',
    {
      engine: choice(
        "The program that does the work; grpc: none, the workload's own gRPC library is configured (proxyless). Default weft.",
        ['weft', 'envoy', 'grpc'],
      ),
      role: choice(
        'What the proxy is for. Default sidecar: it serves one workload. gateway: it opens what Gateways ask of workloads with its labels.',
        ['sidecar', 'gateway'],
      ),
      gateway: object('Where a proxy of role gateway listens.', {
        address: text('Address to listen on, and at which it is reached. Default 127.0.0.1.'),
        ports: keyedList(
          'Ports of Gateways that are listened on under another number, such as 8080 for 80, which only root may listen on.',
          object('One port.', { port: port('Port as Gateways write it.'), listenPort: port('Port to listen on.') }, [
            'port',
            'listenPort',
          ]),
          { listMapKeys: ['port'] },
        ),
      }),
      serviceAccount: text('Service account whose identity the proxy must prove; the same as in its WorkloadEntry.'),
      httpProxy: object(
        'Where the workload reaches any HTTP service of the mesh by its name (the http_proxy convention).',
        { address: text('Address to listen on. Default 127.0.0.1.'), port: port('Port to listen on.') },
        ['port'],
      ),
      inbound: keyedList(
        'Listeners that peers connect to, one for each port of the workload.',
        object(
          'One listener.',
          {
            name: text('Name of the port, a key of `spec.ports` of the WorkloadEntry.'),
            protocol: choice('What the workload speaks; auto: found out for each connection. Default http.', [
              'http',
              'http2',
              'grpc',
              'grpc-web',
              'tcp',
              'auto',
            ]),
            address: text('Address to listen on. Default 127.0.0.1.'),
            port: port('Port to listen on: what peers connect to.'),
            appAddress: text(
              'Address that the workload listens on, or unix:// and the path of its socket. Default 127.0.0.1.',
            ),
            appPort: port('Port that the workload listens on; with a socket, a number that stands for it.'),
          },
          ['name', 'port', 'appPort'],
        ),
        { listMapKeys: ['name'] },
      ),
      upstreams: keyedList(
        'Services with a local port of their own, declared for the workload.',
        object(
          'One upstream.',
          {
            host: text('Host of the service, in full or as short as Kubernetes allows.'),
            port: port('Port of the service.'),
            listenAddress: text('Address to listen on. Default 127.0.0.1.'),
            listenPort: port('Port to listen on.'),
          },
          ['host', 'port', 'listenPort'],
        ),
        { listMapKeys: ['host', 'port'] },
      ),
      unixSockets: list(
        'Paths of Unix sockets that Gateways and Sidecars may have the proxy open. Envoy opens no others, as it removes whatever file is at the path.',
        text('Absolute path.'),
      ),
      draining: flag('The workload is leaving: its endpoint is taken away first. Default false.'),
    },
    ['serviceAccount'],
  );
}

function proxyStatus() {
  return object('What the control plane knows of the proxy.', {
    connected: flag('Whether its stream is open.'),
    identity: text('SPIFFE id that it proved.'),
    version: text('Version of its program.'),
    lastSeen: time('When it last said anything.'),
    sync: keyedList(
      'State of its configuration by type of resource.',
      object(
        'State of one type.',
        {
          type: text('Short name of the type: LDS, RDS, VHDS, CDS, EDS, SDS.'),
          state: choice('SYNCED: has acknowledged all; STALE: not yet; NACKED: refused some; NOT_SENT: wants none.', [
            'SYNCED',
            'STALE',
            'NACKED',
            'NOT_SENT',
          ]),
          resources: list('Names of the resources that are not as wanted.', text('Name of the resource.')),
          version: text('Version that was last acknowledged.'),
          lastAcked: time('When a version was last acknowledged.'),
        },
        ['type', 'state'],
      ),
      { listMapKeys: ['type'] },
    ),
    lastNack: object(
      'The last refusal.',
      {
        type: text('Short name of the type.'),
        resources: list('Names of the resources that were refused.', text('Name of the resource.')),
        message: text('What the proxy said.'),
        time: time('When it said so.'),
      },
      ['type', 'message', 'time'],
    ),
    observedUpstreams: keyedList(
      'Hosts that the workload was seen to call.',
      object(
        'One host.',
        {
          host: text('Host that was called.'),
          port: port('Port that was called.'),
          lastUsed: time('When it was last called.'),
        },
        ['host', 'port'],
      ),
      { listMapKeys: ['host', 'port'] },
    ),
    conditions: conditions('Statements about the proxy: Accepted, Programmed, NotYetSupported.'),
  });
}

function proxySchema() {
  return object('A proxy.', { spec: proxySpec(), status: proxyStatus() }, ['spec']);
}

/** One proxy of the data plane. It has the name of the WorkloadEntry that it serves. */
export type ProxyResource = ObjectOf<typeof proxySchema>;
export type ProxySpec = ProxyResource['spec'];
export type ProxyStatus = NonNullable<ProxyResource['status']>;
export type ProxyInbound = NonNullable<ProxySpec['inbound']>[number];
export type ProxyUpstream = NonNullable<ProxySpec['upstreams']>[number];
export type ProxySync = NonNullable<ProxyStatus['sync']>[number];

const loopback = '127.0.0.1';

function withDefaults(proxy: ProxyResource): ProxyResource {
  const { spec } = proxy;
  return {
    ...proxy,
    spec: {
      ...spec,
      engine: spec.engine ?? 'weft',
      role: spec.role ?? 'sidecar',
      draining: spec.draining ?? false,
      ...(spec.httpProxy === undefined
        ? {}
        : { httpProxy: { ...spec.httpProxy, address: spec.httpProxy.address ?? loopback } }),
      inbound: (spec.inbound ?? []).map((listener) => ({
        ...listener,
        protocol: listener.protocol ?? 'http',
        address: listener.address ?? loopback,
        appAddress: listener.appAddress ?? loopback,
      })),
      upstreams: (spec.upstreams ?? []).map((upstream) => ({
        ...upstream,
        listenAddress: upstream.listenAddress ?? loopback,
      })),
    },
  };
}

/** One word for all types: what is worst. */
function syncSummary(sync: ProxyStatus['sync']): string | undefined {
  const states = new Set(sync?.map(({ state }) => state));
  return (['NACKED', 'STALE', 'SYNCED', 'NOT_SENT'] as const).find((state) => states.has(state));
}

export const proxyKind = declareKind<ProxyResource>({
  group: 'weft.dev',
  versions: ['v1alpha1'],
  kind: 'Proxy',
  plural: 'proxies',
  singular: 'proxy',
  shortNames: ['px'],
  categories: ['weft'],
  namespaced: true,
  hasStatus: true,
  description: 'One proxy of the data plane: where it listens, what its workload needs, and how it is doing.',
  schema: proxySchema,
  withDefaults,
  validate: validateProxy,
  columns: [
    { name: 'Engine', type: 'string', priority: 0, description: 'Its program.', value: ({ spec }) => spec.engine },
    {
      name: 'Service Account',
      type: 'string',
      priority: 0,
      description: 'Its identity.',
      value: ({ spec }) => spec.serviceAccount,
    },
    {
      name: 'Connected',
      type: 'boolean',
      priority: 0,
      description: 'Whether its stream is open.',
      value: ({ status }) => status?.connected ?? false,
    },
    {
      name: 'Sync',
      type: 'string',
      priority: 0,
      description: 'The worst state among its types of resources.',
      value: ({ status }) => syncSummary(status?.sync),
    },
    {
      name: 'Version',
      type: 'string',
      priority: 1,
      description: 'Version of its program.',
      value: ({ status }) => status?.version,
    },
    {
      name: 'Last Nack',
      type: 'string',
      priority: 1,
      description: 'What it last refused.',
      value: ({ status }) => status?.lastNack && `${status.lastNack.type}: ${status.lastNack.message}`,
    },
    age,
  ],
});
