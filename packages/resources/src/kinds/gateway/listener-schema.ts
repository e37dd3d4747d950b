import { choice, int32, list, map, object, text } from '../../schema/fields.ts';
import { gatewayConditions } from './conditions-schema.ts';
import { groupName, hostPatternText, kindName, listenerProtocol, sectionName } from './names-schema.ts';
import { gatewayGroup, gatewayPort, optionValue, secretReference } from './references-schema.ts';
import { atomic, byName } from './route-parts-schema.ts';

/** Chooses namespaces by their labels (`meta.v1.LabelSelector`). */
export function namespaceSelector(description: string) {
  return object(
    description,
    {
      matchLabels: map('Labels that a namespace has all of.', text('Value of the label.')),
      matchExpressions: list(
        'Conditions that a namespace meets all of.',
        object(
          'A condition on one label.',
          {
            key: text('Key of the label.'),
            operator: text('In, NotIn, Exists or DoesNotExist.'),
            values: list('Values, for In and NotIn.', text('A value.'), {}, atomic),
          },
          ['key', 'operator'],
        ),
        {},
        atomic,
      ),
    },
    [],
    { 'x-kubernetes-map-type': 'atomic' },
  );
}

function routeKinds(description: string) {
  return list(
    description,
    object(
      'A kind of routes.',
      { group: groupName('API group of the kind.', { default: gatewayGroup }), kind: kindName('The kind.') },
      ['kind'],
    ),
    { max: 8 },
    atomic,
  );
}

function allowedRoutes() {
  return object(
    'Which routes may attach to the listener. Default: those of the same namespace.',
    {
      namespaces: object(
        'Namespaces that routes may come from.',
        {
          from: choice(
            'All namespaces, those that the selector chooses, or only that of the Gateway.',
            ['All', 'Selector', 'Same'],
            { default: 'Same' },
          ),
          selector: namespaceSelector('Which namespaces, for `from: Selector`.'),
        },
        [],
        { default: { from: 'Same' } },
      ),
      kinds: routeKinds('Kinds of routes that may attach. Default: those that fit the protocol.'),
    },
    [],
    { default: { namespaces: { from: 'Same' } } },
  );
}

function listenerTls() {
  return object('How TLS is spoken, for protocols HTTPS and TLS.', {
    mode: choice(
      'Terminate: TLS ends at the Gateway, which needs a certificate. Passthrough: it ends at the backend.',
      ['Terminate', 'Passthrough'],
      { default: 'Terminate' },
    ),
    certificateRefs: list(
      'Secrets with the certificates that the listener shows.',
      secretReference('A Secret of type kubernetes.io/tls.'),
      { max: 64 },
      atomic,
    ),
    options: map('Options of an implementation’s own.', optionValue(), { max: 16 }),
  });
}

/** The listeners of a Gateway, or of a ListenerSet. */
export function listeners() {
  return list(
    'Ports that are listened on, and the hosts served there.',
    object(
      'One listener.',
      {
        name: sectionName('Name of the listener; routes may refer to it by `sectionName`.'),
        hostname: hostPatternText('Host that is served. Default: every one.'),
        port: gatewayPort('Port to listen on. Listeners that differ in protocol or host may share one.'),
        protocol: listenerProtocol('What clients speak: HTTP, HTTPS, TLS, TCP or UDP.'),
        tls: listenerTls(),
        allowedRoutes: allowedRoutes(),
      },
      ['name', 'port', 'protocol'],
    ),
    { min: 1, max: 64 },
    byName,
  );
}

/** State of each listener. */
export function listenerStatuses() {
  return list(
    'State of each listener.',
    object(
      'State of one listener.',
      {
        name: sectionName('Name of the listener.'),
        supportedKinds: routeKinds('Kinds of routes that the listener takes.'),
        attachedRoutes: int32('Number of routes that are attached and accepted.'),
        conditions: gatewayConditions(
          'Statements: Accepted, Programmed, ResolvedRefs, Conflicted, OverlappingTLSConfig.',
        ),
      },
      ['attachedRoutes', 'conditions', 'name'],
    ),
    { max: 64 },
    byName,
  );
}
