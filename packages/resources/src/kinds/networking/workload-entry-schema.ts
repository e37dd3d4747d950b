import { map, object, port, text, uint32 } from '../../schema/fields.ts';

/** What WorkloadEntry.spec, the endpoints of a ServiceEntry and the template of a WorkloadGroup have in common. */
export function workloadEntrySpec(description: string) {
  return object(description, {
    address: text(
      'Where the workload is reached, without port: an IP address, a host name (for services resolved by DNS), or a Unix socket as unix:///path or unix://@name.',
      { max: 256 },
    ),
    ports: map(
      'Ports of the endpoint by the name of the service port that they belong to. A service port that is not named here is served at its own target port.',
      port('Port number of the endpoint.'),
      { max: 128 },
    ),
    labels: map(
      'Labels of the workload; selectors of services and policies choose by them.',
      text('Value of the label.'),
      {
        max: 256,
      },
    ),
    network: text(
      'Name of the network that the address belongs to; endpoints of one network reach each other directly.',
      {
        max: 2048,
      },
    ),
    locality: text('Where the workload runs, as region/zone/subzone.', { max: 2048 }),
    weight: uint32('Share of the traffic among the endpoints of a service. Default 1.'),
    serviceAccount: text('Service account of the workload, in the namespace of the object.', { max: 253 }),
  });
}
