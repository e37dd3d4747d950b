import { declareKind, type ObjectOf } from '../../declare-kind.ts';
import { age } from '../../format/columns.ts';
import { Place } from '../../place.ts';
import { int32, object, text, time } from '../../schema/fields.ts';

function leaseSchema() {
  return object('A lease.', {
    spec: object('Who holds the lease.', {
      holderIdentity: text('Who holds it; empty when nobody does.'),
      leaseDurationSeconds: int32('Seconds after `renewTime` for which nobody else may take it.'),
      acquireTime: time('When the holder took it.'),
      renewTime: time('When the holder last renewed it.'),
      leaseTransitions: int32('How often the holder changed.'),
      strategy: text('How the holder is chosen, where several are candidates.'),
      preferredHolder: text('Who should hold it next.'),
    }),
  });
}

/** A lock with a time limit. */
export type Lease = ObjectOf<typeof leaseSchema>;

export const leaseKind = declareKind<Lease>({
  group: 'coordination.k8s.io',
  versions: ['v1'],
  kind: 'Lease',
  plural: 'leases',
  singular: 'lease',
  shortNames: [],
  categories: [],
  namespaced: true,
  hasStatus: false,
  description: 'A lock with a time limit, by which one of several processes becomes the leader.',
  schema: leaseSchema,
  validate: ({ spec }) => {
    const root = Place.root();
    const place = root.at('spec');
    if (spec?.leaseDurationSeconds !== undefined && spec.leaseDurationSeconds < 1) {
      place.at('leaseDurationSeconds').invalid(spec.leaseDurationSeconds, 'must be greater than 0', 'Use seconds.');
    }
    if (spec?.leaseTransitions !== undefined && spec.leaseTransitions < 0) {
      place.at('leaseTransitions').invalid(spec.leaseTransitions, 'must not be negative', 'Use 0 or more.');
    }
    return root.violations;
  },
  columns: [
    {
      name: 'Holder',
      type: 'string',
      priority: 0,
      description: 'Who holds it.',
      value: ({ spec }) => spec?.holderIdentity,
    },
    age,
  ],
});
