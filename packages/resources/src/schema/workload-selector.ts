import { map, object, text } from './fields.ts';

/** Chooses workloads by labels (`istio.type.v1beta1.WorkloadSelector`). */
export function workloadSelector(description: string) {
  return object(description, {
    matchLabels: map('Labels that a workload has all of.', text('Value of the label.', { max: 63 }), { max: 4096 }),
  });
}
