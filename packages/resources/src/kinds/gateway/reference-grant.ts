import { declareKind, type ObjectOf } from '../../declare-kind.ts';
import { age } from '../../format/columns.ts';
import { list, object } from '../../schema/fields.ts';
import { groupName, kindName, namespaceName, objectName } from './names-schema.ts';
import { gatewayGroup } from './references-schema.ts';
import { atomic } from './route-parts-schema.ts';

function referenceGrantSchema() {
  return object('A grant.', {
    spec: object(
      'Who may refer to what in this namespace.',
      {
        from: list(
          'Who may refer: objects of a kind in a namespace.',
          object(
            'Objects of one kind in one namespace.',
            {
              group: groupName('API group of the objects; an empty text is the core group.'),
              kind: kindName('Kind of the objects, such as HTTPRoute.'),
              namespace: namespaceName('Namespace of the objects.'),
            },
            ['group', 'kind', 'namespace'],
          ),
          { min: 1, max: 16 },
          atomic,
        ),
        to: list(
          'What they may refer to: objects of a kind in the namespace of the grant.',
          object(
            'Objects of one kind.',
            {
              group: groupName('API group of the objects; an empty text is the core group.'),
              kind: kindName('Kind of the objects, such as Service or Secret.'),
              name: objectName('Name of the object. Default: every one of the kind.'),
            },
            ['group', 'kind'],
          ),
          { min: 1, max: 16 },
          atomic,
        ),
      },
      ['from', 'to'],
    ),
  });
}

/** Lets objects of other namespaces refer to objects of its own. */
export type ReferenceGrant = ObjectOf<typeof referenceGrantSchema>;

export const referenceGrantKind = declareKind<ReferenceGrant>({
  group: gatewayGroup,
  versions: ['v1', 'v1beta1'],
  kind: 'ReferenceGrant',
  plural: 'referencegrants',
  singular: 'referencegrant',
  shortNames: ['refgrant'],
  categories: ['gateway-api'],
  namespaced: true,
  hasStatus: false,
  description: 'Lets objects of other namespaces refer to objects of the namespace of the grant.',
  schema: referenceGrantSchema,
  columns: [age],
});
