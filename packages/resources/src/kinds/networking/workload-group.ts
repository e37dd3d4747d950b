import { declareKind, type ObjectOf } from '../../declare-kind.ts';
import { accepted, age } from '../../format/columns.ts';
import { int32, list, map, object, port, text } from '../../schema/fields.ts';
import { istioStatus } from '../../schema/istio-status.ts';
import { workloadEntrySpec } from './workload-entry-schema.ts';
import { validateWorkloadGroup } from './workload-group-validation.ts';

function probe() {
  const seconds = (description: string) => int32(description, { min: 0 });
  return object('How the health of a workload is checked. One of httpGet, tcpSocket, exec and grpc.', {
    initialDelaySeconds: seconds('Seconds before the first check.'),
    timeoutSeconds: seconds('Longest wait for an answer, in seconds. Default 1.'),
    periodSeconds: seconds('Seconds between checks. Default 10.'),
    successThreshold: int32('Successes in a row that count as healthy. Default 1.', { min: 0 }),
    failureThreshold: int32('Failures in a row that count as unhealthy. Default 3.', { min: 0 }),
    httpGet: object(
      'Ask by HTTP; a status from 200 to 399 is success.',
      {
        path: text('Path to ask for. Default /.'),
        port: port('Port of the workload.'),
        host: text('Address to ask. Default: that of the workload.'),
        scheme: text('HTTP (default) or HTTPS.'),
        httpHeaders: list(
          'Header fields of the request.',
          object('One field.', { name: text('Its name.', { pattern: /^[-_A-Za-z0-9]+$/ }), value: text('Its value.') }),
        ),
      },
      ['port'],
    ),
    tcpSocket: object(
      'Open a connection.',
      { host: text('Address to connect to. Default: that of the workload.'), port: port('Port of the workload.') },
      ['port'],
    ),
    exec: object(
      'Run a command; exit code 0 is success.',
      { command: list('Program and arguments, without a shell.', text('One word.', { min: 1 })) },
      ['command'],
    ),
    grpc: object('Ask by the health checking protocol of gRPC.', {
      port: port('Port of the workload.'),
      service: text('Service to ask for.'),
    }),
  });
}

function workloadGroupSchema() {
  return object(
    'A workload group.',
    {
      spec: object(
        'What the workloads of the group have in common.',
        {
          metadata: object('Labels and annotations of each WorkloadEntry that is made.', {
            labels: map('Labels.', text('Value of the label.'), { max: 256 }),
            annotations: map('Annotations.', text('Value of the annotation.'), { max: 256 }),
          }),
          template: workloadEntrySpec(
            'The spec of each WorkloadEntry that is made; the workload fills in its address.',
          ),
          probe: probe(),
        },
        ['template'],
      ),
      status: istioStatus(),
    },
    ['spec'],
  );
}

/** What several workloads that register themselves have in common. */
export type WorkloadGroup = ObjectOf<typeof workloadGroupSchema>;
export type WorkloadProbe = NonNullable<WorkloadGroup['spec']['probe']>;

export const workloadGroupKind = declareKind<WorkloadGroup>({
  group: 'networking.istio.io',
  versions: ['v1', 'v1beta1', 'v1alpha3'],
  kind: 'WorkloadGroup',
  plural: 'workloadgroups',
  singular: 'workloadgroup',
  shortNames: ['wg'],
  categories: ['istio-io', 'networking-istio-io'],
  namespaced: true,
  hasStatus: true,
  description: 'What several workloads that register themselves have in common: labels, ports, identity, health check.',
  schema: workloadGroupSchema,
  validate: validateWorkloadGroup,
  columns: [
    {
      name: 'Service Account',
      type: 'string',
      priority: 0,
      description: 'Identity of its workloads.',
      value: ({ spec }) => spec.template.serviceAccount,
    },
    accepted,
    age,
  ],
});
