import { declareKind, type ObjectOf } from '../../declare-kind.ts';
import { age, commaList, programmed } from '../../format/columns.ts';
import { choice, int32, list, map, object, text } from '../../schema/fields.ts';
import { gatewayConditions, pendingConditions } from './conditions-schema.ts';
import { validateGateway } from './gateway-validation.ts';
import { warnOfGateway } from './gateway-warnings.ts';
import { listenerStatuses, listeners, namespaceSelector } from './listener-schema.ts';
import { addressType, objectName } from './names-schema.ts';
import { anyReference, gatewayGroup, gatewayPort, localReference, secretReference } from './references-schema.ts';
import { atomic } from './route-parts-schema.ts';

const labelValuePattern = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;
const pendingTypes = ['Accepted', 'Programmed'];

function allowedListeners() {
  return object('Which ListenerSets may add listeners to the Gateway. Default: none.', {
    namespaces: object(
      'Namespaces that ListenerSets may come from.',
      {
        from: choice(
          'All namespaces, those that the selector chooses, only that of the Gateway, or none.',
          ['All', 'Selector', 'Same', 'None'],
          { default: 'None' },
        ),
        selector: namespaceSelector('Which namespaces, for `from: Selector`.'),
      },
      [],
      { default: { from: 'None' } },
    ),
  });
}

function infrastructure() {
  return object('What is made for the Gateway to run on.', {
    labels: map(
      'Labels of what is made.',
      text('Value of the label.', { min: 0, max: 63, pattern: labelValuePattern, form: 'the value of a label' }),
      { max: 8 },
    ),
    annotations: map('Annotations of what is made.', text('Value of the annotation.', { min: 0, max: 4096 }), {
      max: 8,
    }),
    parametersRef: localReference('An object with parameters for what is made.'),
  });
}

function clientValidation() {
  return object('Asks clients for a certificate.', {
    validation: object(
      'How certificates of clients are checked.',
      {
        caCertificateRefs: list(
          'Objects with the certificates of the authorities that clients’ certificates come from: a ConfigMap with the key ca.crt.',
          anyReference('One object.'),
          { min: 1, max: 8 },
          atomic,
        ),
        mode: choice(
          'AllowValidOnly: who has no valid certificate is refused. AllowInsecureFallback: nobody is.',
          ['AllowValidOnly', 'AllowInsecureFallback'],
          { default: 'AllowValidOnly' },
        ),
      },
      ['caCertificateRefs'],
    ),
  });
}

function gatewayTls() {
  return object('TLS of the Gateway as a whole.', {
    backend: object('Towards backends.', {
      clientCertificateRef: secretReference('Secret with the certificate that the Gateway shows to backends.'),
    }),
    frontend: object(
      'Towards clients, on listeners of protocol HTTPS.',
      {
        default: clientValidation(),
        perPort: list(
          'For the listeners of a port, in place of the default.',
          object('The listeners of one port.', { port: gatewayPort('The port.'), tls: clientValidation() }, [
            'port',
            'tls',
          ]),
          { max: 64 },
          { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['port'] },
        ),
      },
      ['default'],
    ),
  });
}

function gatewaySchema() {
  return object(
    'A gateway.',
    {
      spec: object(
        'What the Gateway is asked to be.',
        {
          gatewayClassName: objectName('GatewayClass that the Gateway is of.'),
          listeners: listeners(),
          addresses: list(
            'Addresses that are asked for. Default: chosen by the controller.',
            object('One address.', {
              type: addressType('What the value is.'),
              value: text('The address; without one, any of its type.', { max: 253 }),
            }),
            { max: 16 },
            atomic,
          ),
          infrastructure: infrastructure(),
          allowedListeners: allowedListeners(),
          defaultScope: choice('Which routes without parents attach to the Gateway. Default None.', ['All', 'None']),
          tls: gatewayTls(),
        },
        ['gatewayClassName', 'listeners'],
      ),
      status: object(
        'What became of the Gateway.',
        {
          addresses: list(
            'Addresses at which the Gateway is reached.',
            object(
              'One address.',
              {
                type: addressType('What the value is.'),
                value: text('The address.', { min: 1, max: 253 }),
              },
              ['value'],
            ),
            { max: 16 },
            atomic,
          ),
          attachedListenerSets: int32('Number of ListenerSets that are attached and accepted.'),
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

/** Where traffic enters the mesh (Gateway API; Istio's kind of the same name is `IstioGateway`). */
export type KubeGateway = ObjectOf<typeof gatewaySchema>;
export type KubeGatewaySpec = KubeGateway['spec'];
export type KubeGatewayStatus = NonNullable<KubeGateway['status']>;
export type KubeListener = KubeGatewaySpec['listeners'][number];
export type KubeListenerStatus = NonNullable<KubeGatewayStatus['listeners']>[number];

export const kubeGatewayKind = declareKind<KubeGateway>({
  group: gatewayGroup,
  versions: ['v1', 'v1beta1'],
  kind: 'Gateway',
  plural: 'gateways',
  singular: 'gateway',
  shortNames: ['gtw'],
  categories: ['gateway-api'],
  namespaced: true,
  hasStatus: true,
  description: 'Where traffic enters the mesh: listeners with their ports, protocols, hosts and certificates.',
  schema: gatewaySchema,
  structuralDefaults: true,
  validate: validateGateway,
  warnings: warnOfGateway,
  columns: [
    {
      name: 'Class',
      type: 'string',
      priority: 0,
      description: 'GatewayClass that it is of.',
      value: ({ spec }) => spec.gatewayClassName,
    },
    {
      name: 'Address',
      type: 'string',
      priority: 0,
      description: 'Where it is reached.',
      value: ({ status }) => commaList(status?.addresses?.map(({ value }) => value)),
    },
    programmed,
    age,
  ],
});
