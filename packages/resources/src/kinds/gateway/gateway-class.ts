import { declareKind, type ObjectOf } from '../../declare-kind.ts';
import { acceptedAlways, age } from '../../format/columns.ts';
import { list, object, text } from '../../schema/fields.ts';
import { gatewayConditions, pendingConditions } from './conditions-schema.ts';
import { validateGatewayClassUpdate } from './gateway-class-validation.ts';
import { controllerName } from './names-schema.ts';
import { anyReference, gatewayGroup } from './references-schema.ts';
import { byName } from './route-parts-schema.ts';

const pendingTypes = ['Accepted'];

function gatewayClassSchema() {
  return object(
    'A class of gateways.',
    {
      spec: object(
        'Who looks after Gateways of the class.',
        {
          controllerName: controllerName('The controller that does. It cannot be changed.'),
          description: text('What the class is good for.', { max: 64 }),
          parametersRef: anyReference('An object with parameters of the controller for the class.'),
        },
        ['controllerName'],
      ),
      status: object(
        'What the controller says of the class.',
        {
          conditions: gatewayConditions('Statements: Accepted, SupportedVersion.', { pending: pendingTypes }),
          supportedFeatures: list(
            'Features of the Gateway API that Gateways of the class have.',
            object('One feature.', { name: text('Its name, such as HTTPRouteMethodMatching.') }, ['name']),
            { max: 64 },
            byName,
          ),
        },
        [],
        { default: { conditions: pendingConditions(pendingTypes) } },
      ),
    },
    ['spec'],
  );
}

/** Names the controller that looks after Gateways. */
export type GatewayClass = ObjectOf<typeof gatewayClassSchema>;

export const gatewayClassKind = declareKind<GatewayClass>({
  group: gatewayGroup,
  versions: ['v1', 'v1beta1'],
  kind: 'GatewayClass',
  plural: 'gatewayclasses',
  singular: 'gatewayclass',
  shortNames: ['gc'],
  categories: ['gateway-api'],
  namespaced: false,
  hasStatus: true,
  description: 'A class of Gateways, and the controller that looks after them.',
  schema: gatewayClassSchema,
  structuralDefaults: true,
  validateUpdate: validateGatewayClassUpdate,
  columns: [
    {
      name: 'Controller',
      type: 'string',
      priority: 0,
      description: 'Who looks after Gateways of the class.',
      value: ({ spec }) => spec.controllerName,
    },
    acceptedAlways,
    age,
    {
      name: 'Description',
      type: 'string',
      priority: 1,
      description: 'What the class is good for.',
      value: ({ spec }) => spec.description,
    },
  ],
});
