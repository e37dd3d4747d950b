import { integer, object, text } from '../../schema/fields.ts';
import { groupName, kindName, namespaceName, objectName, sectionName } from './names-schema.ts';

export const gatewayGroup = 'gateway.networking.k8s.io';

export function gatewayPort(description: string) {
  return integer(description, { min: 1, max: 65_535 }, { format: 'int32' });
}

/** What a route attaches to, and where a status names it. */
export function parentReference(description: string) {
  return object(
    description,
    {
      group: groupName('API group of the parent. The core group, an empty text, for a Service.', {
        default: gatewayGroup,
      }),
      kind: kindName('Kind of the parent: Gateway, ListenerSet, or Service for routes of the mesh.', {
        default: 'Gateway',
      }),
      name: objectName('Name of the parent.'),
      namespace: namespaceName('Namespace of the parent. Default: that of the object that refers to it.'),
      port: gatewayPort('Port of the parent that is meant. Default: every port.'),
      sectionName: sectionName('Listener of a Gateway, or port of a Service, that is meant. Default: every one.'),
    },
    ['name'],
  );
}

export function backendReferenceFields() {
  return {
    group: groupName('API group of the backend; an empty text is the core group.', { default: '' }),
    kind: kindName('Kind of the backend.', { default: 'Service' }),
    name: objectName('Name of the backend.'),
    namespace: namespaceName(
      'Namespace of the backend. Default: that of the route. For another one a ReferenceGrant must be there.',
    ),
    port: gatewayPort('Port of the backend; a Service needs it.'),
  };
}

/** A backend without a share. */
export function backendReference(description: string) {
  return object(description, backendReferenceFields(), ['name']);
}

export function backendWeight() {
  return integer(
    'Share of the traffic, relative to the sum of all. 0: nothing.',
    { min: 0, max: 1_000_000 },
    { format: 'int32', default: 1 },
  );
}

/** A backend and its share, as TCP and TLS routes have it. */
export function weightedBackend() {
  return object('One backend and its share.', { ...backendReferenceFields(), weight: backendWeight() }, ['name']);
}

/** A Secret, most of all one with a certificate and its key. */
export function secretReference(description: string) {
  return object(
    description,
    {
      group: groupName('API group; an empty text is the core group.', { default: '' }),
      kind: kindName('Kind that holds the certificate.', { default: 'Secret' }),
      name: objectName('Name of the object.'),
      namespace: namespaceName(
        'Namespace of the object. Default: that of this object. For another one a ReferenceGrant must be there.',
      ),
    },
    ['name'],
  );
}

/** An object of any kind and namespace. */
export function anyReference(description: string) {
  return object(
    description,
    {
      group: groupName('API group; an empty text is the core group.'),
      kind: kindName('Kind of the object.'),
      name: objectName('Name of the object.'),
      namespace: namespaceName(
        'Namespace of the object. Default: that of this object. For another one a ReferenceGrant must be there.',
      ),
    },
    ['group', 'kind', 'name'],
  );
}

/** An object of any kind in the same namespace. */
export function localReference(description: string) {
  return object(
    description,
    {
      group: groupName('API group; an empty text is the core group.'),
      kind: kindName('Kind of the object.'),
      name: objectName('Name of the object.'),
    },
    ['group', 'kind', 'name'],
  );
}

/** A value of an implementation's own options. */
export function optionValue() {
  return text('Value of the option.', { min: 0, max: 4096 });
}
