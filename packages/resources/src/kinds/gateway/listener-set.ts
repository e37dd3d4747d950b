import { declareKind, type ObjectOf } from '../../declare-kind.ts';
import { acceptedAlways, age, programmed } from '../../format/columns.ts';
import { object } from '../../schema/fields.ts';
import { gatewayConditions, pendingConditions } from './conditions-schema.ts';
import { validateListenerSet } from './gateway-validation.ts';
import { listenerStatuses, listeners } from './listener-schema.ts';
import { groupName, kindName, namespaceName, objectName } from './names-schema.ts';
import { gatewayGroup } from './references-schema.ts';

const pendingTypes = ['Accepted', 'Programmed'];

function listenerSetSchema() {
  return object(
    'A set of listeners.',
    {
      spec: object(
        'The Gateway and the listeners that it gets.',
        {
          parentRef: object(
            'The Gateway; it says by `allowedListeners` who may.',
            {
              group: groupName('API group of the parent.', { default: gatewayGroup }),
              kind: kindName('Kind of the parent.', { default: 'Gateway' }),
              name: objectName('Name of the parent.'),
              namespace: namespaceName('Namespace of the parent. Default: that of the set.'),
            },
            ['name'],
          ),
          listeners: listeners(),
        },
        ['listeners', 'parentRef'],
      ),
      status: object(
        'What became of the set.',
        {
          conditions: gatewayConditions('Statements: Accepted, Programmed, NotYetSupported.', {
            pending: pendingTypes,
          }),
          listeners: listenerStatuses(),
        },
        [],
        { default: { conditions: pendingConditions(pendingTypes) } },
      ),
    },
    ['spec'],
  );
}

/** Listeners that another team adds to a Gateway. */
export type ListenerSet = ObjectOf<typeof listenerSetSchema>;

export const listenerSetKind = declareKind<ListenerSet>({
  group: gatewayGroup,
  versions: ['v1'],
  kind: 'ListenerSet',
  plural: 'listenersets',
  singular: 'listenerset',
  shortNames: ['lset'],
  categories: ['gateway-api'],
  namespaced: true,
  hasStatus: true,
  description: 'Listeners that are added to a Gateway by somebody else than its owner.',
  schema: listenerSetSchema,
  structuralDefaults: true,
  validate: validateListenerSet,
  columns: [acceptedAlways, programmed, age],
});
