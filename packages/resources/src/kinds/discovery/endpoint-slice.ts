import { declareKind, type ObjectOf } from '../../declare-kind.ts';
import { age, commaList } from '../../format/columns.ts';
import { choice, flag, int32, list, map, object, set, text } from '../../schema/fields.ts';
import { objectReference } from '../../schema/object-reference.ts';
import { validateEndpointSlice, validateEndpointSliceUpdate } from './endpoint-slice-validation.ts';

function endpoint() {
  const names = (description: string, what: string) =>
    list(description, object(what, { name: text('Its name.') }, ['name']), {}, { 'x-kubernetes-list-type': 'atomic' });
  return object(
    'One endpoint.',
    {
      addresses: set(
        'Addresses of the endpoint; all reach the same place, and the first is used.',
        text('An address.'),
      ),
      conditions: object('How the endpoint is.', {
        ready: flag('Whether it takes traffic. Absent counts as true.'),
        serving: flag('As `ready`, but true also while it is terminating and still serves.'),
        terminating: flag('Whether it is on its way out.'),
      }),
      hostname: text('Its host name within the service.'),
      targetRef: objectReference('The object that the endpoint is made from.'),
      deprecatedTopology: map('Where the endpoint is, as older versions wrote it.', text('Value.')),
      nodeName: text('Node that it runs on.'),
      zone: text('Zone that it runs in.'),
      hints: object('Who should prefer the endpoint.', {
        forZones: names('Zones that should.', 'A zone.'),
        forNodes: names('Nodes that should.', 'A node.'),
      }),
    },
    ['addresses'],
  );
}

function endpointSliceSchema() {
  return object(
    'A slice of endpoints.',
    {
      addressType: choice('What the addresses are. It cannot be changed.', ['IPv4', 'IPv6', 'FQDN']),
      endpoints: list(
        'The endpoints, at most 1000.',
        endpoint(),
        { max: 1000 },
        { 'x-kubernetes-list-type': 'atomic' },
      ),
      ports: list(
        'Ports that each of the endpoints has, at most 100.',
        object('One port.', {
          name: text('Name of the port of the service, empty for its only one.'),
          protocol: choice('Transport protocol. Default TCP.', ['TCP', 'UDP', 'SCTP']),
          port: int32('Number of the port; absent means all.', { min: 1, max: 65_535 }),
          appProtocol: text('Application protocol.'),
        }),
        { max: 100 },
        { 'x-kubernetes-list-type': 'atomic' },
      ),
    },
    ['addressType'],
  );
}

/** Some of the endpoints of a service. */
export type EndpointSlice = ObjectOf<typeof endpointSliceSchema>;
export type Endpoint = NonNullable<EndpointSlice['endpoints']>[number];

/** Label with the name of the service that a slice belongs to. */
export const serviceNameLabel = 'kubernetes.io/service-name';

export const endpointSliceKind = declareKind<EndpointSlice>({
  group: 'discovery.k8s.io',
  versions: ['v1'],
  kind: 'EndpointSlice',
  plural: 'endpointslices',
  singular: 'endpointslice',
  shortNames: [],
  categories: [],
  namespaced: true,
  hasStatus: false,
  description: 'Some of the endpoints of a service: addresses, ports, health.',
  schema: endpointSliceSchema,
  withDefaults: (slice) => ({
    ...slice,
    endpoints: slice.endpoints ?? [],
    ...(slice.ports === undefined
      ? {}
      : { ports: slice.ports.map((port) => ({ ...port, name: port.name ?? '', protocol: port.protocol ?? 'TCP' })) }),
  }),
  validate: validateEndpointSlice,
  validateUpdate: validateEndpointSliceUpdate,
  columns: [
    {
      name: 'AddressType',
      type: 'string',
      priority: 0,
      description: 'What the addresses are.',
      value: (slice) => slice.addressType,
    },
    {
      name: 'Ports',
      type: 'string',
      priority: 0,
      description: 'Numbers of the ports.',
      value: (slice) => commaList(slice.ports?.map(({ port }) => port ?? '*')),
    },
    {
      name: 'Endpoints',
      type: 'string',
      priority: 0,
      description: 'The first addresses.',
      value: ({ endpoints = [] }) => {
        const addresses = endpoints.flatMap((each) => each.addresses);
        const more = addresses.length - 3;
        return commaList([...addresses.slice(0, 3), ...(more > 0 ? [`+ ${more} more...`] : [])]);
      },
    },
    age,
  ],
});
