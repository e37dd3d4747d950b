import { declareKind, type ObjectOf } from '../../declare-kind.ts';
import { accepted, age, commaList, pairList, programmed } from '../../format/columns.ts';
import { choice, list, map, object, text, uint32 } from '../../schema/fields.ts';
import { istioStatus } from '../../schema/istio-status.ts';
import { destination } from './route-parts-schema.ts';
import { serverTls } from './server-tls-schema.ts';
import { validateSidecar } from './sidecar-validation.ts';
import { warnOfSidecar } from './sidecar-warnings.ts';
import { connectionPool } from './traffic-policy-schema.ts';

function port(description: string) {
  return object(description, {
    number: uint32('Number of the port.'),
    protocol: text('What is spoken: HTTP, HTTPS, HTTP2, GRPC, GRPC-WEB, MONGO, TCP or TLS.'),
    name: text('Name of the port.'),
    targetPort: uint32('Nothing acts on it.'),
  });
}

function captureMode() {
  return choice('Whether connections to the listener are intercepted or made to it.', ['DEFAULT', 'IPTABLES', 'NONE']);
}

function sidecarSchema() {
  return object('A sidecar configuration.', {
    spec: object('What the sidecars of some workloads see and listen on.', {
      workloadSelector: object('Chooses the workloads. Default: all of the namespace.', {
        labels: map('Labels that a workload has all of.', text('Value of the label.', { max: 63 }), { max: 256 }),
      }),
      ingress: list(
        'Listeners for requests to the workload. Default: one for each of its ports.',
        object(
          'One listener.',
          {
            port: port('The port that is listened on.'),
            bind: text('Address to listen on. Default: that of the workload.'),
            captureMode: captureMode(),
            defaultEndpoint: text(
              'Where the workload listens: 127.0.0.1:port, 0.0.0.0:port, or unix:// and the path of a socket.',
            ),
            tls: serverTls(),
            connectionPool: connectionPool('Limits and life of connections to the workload at this port.'),
          },
          ['port'],
        ),
      ),
      egress: list(
        'What the workload reaches, and where its sidecar listens for that. Default: everything that is exported to it.',
        object(
          'One listener.',
          {
            port: port('The port that is listened on. Only the last listener may have none: it is for all others.'),
            bind: text('Address or Unix socket to listen on.'),
            captureMode: captureMode(),
            hosts: list(
              'What can be reached by the listener: namespace/host. The namespace may be `.` (the own one), `*` (all) or `~` (none), the host `*` or begin with `*.`.',
              text('namespace/host.'),
            ),
          },
          ['hosts'],
        ),
      ),
      inboundConnectionPool: connectionPool('Limits and life of connections to the workload.'),
      outboundTrafficPolicy: object('What becomes of requests to hosts that the mesh does not know.', {
        mode: choice('Whether they are refused or let through.', ['REGISTRY_ONLY', 'ALLOW_ANY']),
        egressProxy: destination('A gateway that they are sent to, with mode ALLOW_ANY.'),
      }),
    }),
    status: istioStatus(),
  });
}

/** What the sidecars of some workloads see of the mesh, and where they listen. */
export type Sidecar = ObjectOf<typeof sidecarSchema>;
export type SidecarSpec = NonNullable<Sidecar['spec']>;
export type SidecarIngress = NonNullable<SidecarSpec['ingress']>[number];
export type SidecarEgress = NonNullable<SidecarSpec['egress']>[number];

export const sidecarKind = declareKind<Sidecar>({
  group: 'networking.istio.io',
  versions: ['v1', 'v1beta1', 'v1alpha3'],
  kind: 'Sidecar',
  plural: 'sidecars',
  singular: 'sidecar',
  shortNames: [],
  categories: ['istio-io', 'networking-istio-io'],
  namespaced: true,
  hasStatus: true,
  description: 'What the sidecars of some workloads see of the mesh, and where they listen.',
  schema: sidecarSchema,
  validate: validateSidecar,
  warnings: warnOfSidecar,
  columns: [
    {
      name: 'Workloads',
      type: 'string',
      priority: 0,
      description: 'Labels of the workloads; none means all of the namespace.',
      value: ({ spec }) => pairList(spec?.workloadSelector?.labels),
    },
    {
      name: 'Egress Hosts',
      type: 'string',
      priority: 0,
      description: 'What the workloads reach.',
      value: ({ spec }) => commaList((spec?.egress ?? []).flatMap(({ hosts }) => hosts)),
    },
    programmed,
    accepted,
    age,
  ],
});
