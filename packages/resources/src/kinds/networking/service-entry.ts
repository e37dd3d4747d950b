import { declareKind, type ObjectOf } from '../../declare-kind.ts';
import { accepted, age, commaList, programmed } from '../../format/columns.ts';
import { choice, keyedList, list, map, object, port, text } from '../../schema/fields.ts';
import { istioStatus } from '../../schema/istio-status.ts';
import { validateServiceEntry } from './service-entry-validation.ts';
import { workloadEntrySpec } from './workload-entry-schema.ts';

function serviceEntryPort() {
  return object(
    'One port.',
    {
      number: port('Number that clients connect to.'),
      name: text('Name of the port.', { max: 256 }),
      protocol: text('What is spoken: HTTP, HTTPS, GRPC, HTTP2, MONGO, TCP, TLS.', { max: 256 }),
      targetPort: port('Number that endpoints listen on. Default: the same as `number`.'),
    },
    ['number', 'name'],
  );
}

function serviceEntrySpec() {
  return object(
    'A service that the mesh is told about.',
    {
      hosts: list('Hosts of the service.', text('A DNS name, or `*.` and a name.'), { min: 1, max: 256 }),
      addresses: list('Virtual addresses of the service.', text('An address or CIDR block.', { max: 64 }), {
        max: 256,
      }),
      ports: keyedList('Ports of the service.', serviceEntryPort(), { listMapKeys: ['name'] }, { max: 256 }),
      location: choice('Whether the service is outside the mesh (default) or inside.', [
        'MESH_EXTERNAL',
        'MESH_INTERNAL',
      ]),
      resolution: choice('How endpoints are found. Default NONE: the address that the client asked for.', [
        'NONE',
        'STATIC',
        'DNS',
        'DNS_ROUND_ROBIN',
        'DYNAMIC_DNS',
      ]),
      endpoints: list('Endpoints of the service.', workloadEntrySpec('One endpoint.'), { max: 4096 }),
      workloadSelector: object('Chooses workloads of the namespace as endpoints; not together with `endpoints`.', {
        labels: map('Labels that a workload has all of.', text('Value of the label.', { max: 63 }), { max: 256 }),
      }),
      exportTo: list(
        'Namespaces that see the service: names, `.` for the own one, `*` for all (default).',
        text('A namespace.'),
      ),
      subjectAltNames: list('Names of which the certificate of the server must have one.', text('A name.')),
    },
    ['hosts'],
  );
}

function serviceEntrySchema() {
  return object('A service entry.', { spec: serviceEntrySpec(), status: istioStatus() }, ['spec']);
}

/** A service that the mesh is told about. */
export type ServiceEntry = ObjectOf<typeof serviceEntrySchema>;
export type ServiceEntrySpec = ServiceEntry['spec'];

export const serviceEntryKind = declareKind<ServiceEntry>({
  group: 'networking.istio.io',
  versions: ['v1', 'v1beta1', 'v1alpha3'],
  kind: 'ServiceEntry',
  plural: 'serviceentries',
  singular: 'serviceentry',
  shortNames: ['se'],
  categories: ['istio-io', 'networking-istio-io'],
  namespaced: true,
  hasStatus: true,
  description: 'A service that the mesh is told about: one outside it, or workloads that no Service covers.',
  schema: serviceEntrySchema,
  validate: validateServiceEntry,
  columns: [
    {
      name: 'Hosts',
      type: 'string',
      priority: 0,
      description: 'Hosts of the service.',
      value: ({ spec }) => commaList(spec.hosts),
    },
    {
      name: 'Location',
      type: 'string',
      priority: 0,
      description: 'Outside or inside the mesh.',
      value: ({ spec }) => spec.location,
    },
    {
      name: 'Resolution',
      type: 'string',
      priority: 0,
      description: 'How endpoints are found.',
      value: ({ spec }) => spec.resolution,
    },
    programmed,
    accepted,
    age,
  ],
});
