import { declareKind, type ObjectOf } from '../../declare-kind.ts';
import { accepted, age, programmed } from '../../format/columns.ts';
import { Place } from '../../place.ts';
import { object } from '../../schema/fields.ts';
import { istioStatus } from '../../schema/istio-status.ts';
import { workloadEntrySpec } from './workload-entry-schema.ts';
import { checkWorkloadEntrySpec } from './workload-entry-validation.ts';

function workloadEntrySchema() {
  return object(
    'A workload entry.',
    { spec: workloadEntrySpec('Where the workload is and what it is.'), status: istioStatus() },
    ['spec'],
  );
}

/** One workload that serves: a process, a virtual machine. */
export type WorkloadEntry = ObjectOf<typeof workloadEntrySchema>;

export const workloadEntryKind = declareKind<WorkloadEntry>({
  group: 'networking.istio.io',
  versions: ['v1', 'v1beta1', 'v1alpha3'],
  kind: 'WorkloadEntry',
  plural: 'workloadentries',
  singular: 'workloadentry',
  shortNames: ['we'],
  categories: ['istio-io', 'networking-istio-io'],
  namespaced: true,
  hasStatus: true,
  description: 'One workload that serves: a process or a machine that is not a pod.',
  schema: workloadEntrySchema,
  validate: ({ spec }) => {
    const root = Place.root();
    checkWorkloadEntrySpec(root.at('spec'), spec, true);
    return root.violations;
  },
  columns: [
    {
      name: 'Address',
      type: 'string',
      priority: 0,
      description: 'Where the workload is reached.',
      value: ({ spec }) => spec.address,
    },
    {
      name: 'Ports',
      type: 'string',
      priority: 0,
      description: 'Its ports by name.',
      value: ({ spec }) =>
        spec.ports === undefined
          ? undefined
          : Object.entries(spec.ports)
              .map(([name, port]) => `${name}:${port}`)
              .join(','),
    },
    {
      name: 'Service Account',
      type: 'string',
      priority: 0,
      description: 'Its identity.',
      value: ({ spec }) => spec.serviceAccount,
    },
    { ...programmed, priority: 1 },
    accepted,
    age,
  ],
});
