import { declareKind, type ObjectOf } from '../../declare-kind.ts';
import { accepted, age, commaList, pairList, programmed } from '../../format/columns.ts';
import { list, map, object, text, uint32 } from '../../schema/fields.ts';
import { istioStatus } from '../../schema/istio-status.ts';
import { validateIstioGateway } from './istio-gateway-validation.ts';
import { warnOfIstioGateway } from './istio-gateway-warnings.ts';
import { serverTls } from './server-tls-schema.ts';

function server() {
  return object(
    'One server: a port and the hosts that are served there.',
    {
      port: object(
        'The port that clients connect to.',
        {
          number: uint32('Number of the port.'),
          protocol: text('What clients speak: HTTP, HTTPS, HTTP2, GRPC, GRPC-WEB, MONGO, TCP or TLS.'),
          name: text('Name of the port, unique in the gateway.'),
          targetPort: uint32('Nothing acts on it.'),
        },
        ['name', 'number', 'protocol'],
      ),
      bind: text('Address or Unix socket to listen on. Default: every address.'),
      hosts: list(
        'Hosts that are served: names, `*.` and a name, `*`; before a slash the namespace that routes may come from, `.` for the own one, `*` for all.',
        text('host, or namespace/host.'),
      ),
      tls: serverTls(),
      defaultEndpoint: text('Nothing acts on it.'),
      name: text('Name of the server, for statistics.'),
    },
    ['hosts', 'port'],
  );
}

function istioGatewaySchema() {
  return object('A gateway.', {
    spec: object('Which proxies listen where.', {
      selector: map('Labels that the proxies of the gateway have all of.', text('Value of the label.')),
      servers: list('What the proxies listen on.', server()),
    }),
    status: istioStatus(),
  });
}

/** Where traffic enters or leaves the mesh (Istio; the Gateway API's kind of the same name is `KubeGateway`). */
export type IstioGateway = ObjectOf<typeof istioGatewaySchema>;
export type IstioGatewaySpec = NonNullable<IstioGateway['spec']>;
export type IstioServer = NonNullable<IstioGatewaySpec['servers']>[number];
export type IstioServerTls = NonNullable<IstioServer['tls']>;

export const istioGatewayKind = declareKind<IstioGateway>({
  group: 'networking.istio.io',
  versions: ['v1', 'v1beta1', 'v1alpha3'],
  kind: 'Gateway',
  plural: 'gateways',
  singular: 'gateway',
  shortNames: ['gw'],
  categories: ['istio-io', 'networking-istio-io'],
  namespaced: true,
  hasStatus: true,
  description: 'Ports and hosts that gateway proxies serve at the edge of the mesh. Routes are VirtualServices.',
  schema: istioGatewaySchema,
  validate: validateIstioGateway,
  warnings: warnOfIstioGateway,
  columns: [
    {
      name: 'Selector',
      type: 'string',
      priority: 0,
      description: 'Labels of the proxies of the gateway.',
      value: ({ spec }) => pairList(spec?.selector),
    },
    {
      name: 'Hosts',
      type: 'string',
      priority: 0,
      description: 'Hosts that are served.',
      value: ({ spec }) => commaList([...new Set((spec?.servers ?? []).flatMap(({ hosts }) => hosts))]),
    },
    programmed,
    accepted,
    age,
  ],
});
