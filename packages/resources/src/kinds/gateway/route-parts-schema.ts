import { choice, int32, integer, list, object, text } from '../../schema/fields.ts';
import { gatewayConditions } from './conditions-schema.ts';
import { controllerName, gatewayDuration, headerName, headerValue, hostPatternText } from './names-schema.ts';
import { backendReference, parentReference } from './references-schema.ts';

/** What all routes of the Gateway API have in common. */

export const atomic = { 'x-kubernetes-list-type': 'atomic' } as const;
export const byName = { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] } as const;
export const asSet = { 'x-kubernetes-list-type': 'set' } as const;

export function parentRefs() {
  return {
    parentRefs: list(
      'What the route attaches to: Gateways and their listeners, or Services of the mesh.',
      parentReference('One parent.'),
      { max: 32 },
      atomic,
    ),
    useDefaultGateways: choice('Which default Gateways the route attaches to besides its parents. Default None.', [
      'All',
      'None',
    ]),
  };
}

export function hostnames(description: string, limits: { readonly min?: number } = {}) {
  return list(description, hostPatternText('A host name, or `*.` and one.'), { ...limits, max: 16 }, atomic);
}

export function routeStatus() {
  return object(
    'What became of the route at each of its parents.',
    {
      parents: list(
        'One statement for each parent and controller.',
        object(
          'The route at one parent.',
          {
            parentRef: parentReference('The parent, as the route names it.'),
            controllerName: controllerName('The controller that says so.'),
            conditions: gatewayConditions('Statements: Accepted, ResolvedRefs, PartiallyInvalid, NotYetSupported.', {
              min: 1,
            }),
          },
          ['conditions', 'controllerName', 'parentRef'],
        ),
        { max: 32 },
        atomic,
      ),
    },
    ['parents'],
  );
}

function headerField() {
  return object(
    'A header field.',
    { name: headerName('Name of the field, in any case.'), value: headerValue('Value of the field.') },
    ['name', 'value'],
  );
}

/** Edits of the header fields of requests or of responses. */
export function headerModifier(description: string) {
  return object(description, {
    set: list('Fields that get this value, whatever they had.', headerField(), { max: 16 }, byName),
    add: list('Fields that get this value after what they have.', headerField(), { max: 16 }, byName),
    remove: list('Fields that are taken away.', text('Name of the field.'), { max: 16 }, asSet),
  });
}

export function requestMirror() {
  return object(
    'Send a copy of the request to another backend, and throw its response away.',
    {
      backendRef: backendReference('Where the copy goes.'),
      percent: int32('Share of the requests that are copied, in percent. Default: all.', { min: 0, max: 100 }),
      fraction: object(
        'Share of the requests that are copied, as a fraction.',
        {
          numerator: int32('So many of the denominator.', { min: 0 }),
          denominator: integer('Out of so many.', { min: 1, max: 2_147_483_647 }, { format: 'int32', default: 100 }),
        },
        ['numerator'],
      ),
    },
    ['backendRef'],
  );
}

export function sessionPersistence() {
  return object('Keep the requests of one session at one backend.', {
    type: choice('What carries the session.', ['Cookie', 'Header'], { default: 'Cookie' }),
    sessionName: text('Name of the cookie or header field. Default: chosen by the gateway.', { max: 128 }),
    absoluteTimeout: gatewayDuration('The session ends this long after it began.'),
    idleTimeout: gatewayDuration('The session ends after this long without a request.'),
    cookieConfig: object('For sessions that a cookie carries.', {
      lifetimeType: choice(
        'Permanent: the cookie has the absolute timeout as its life time. Session: it ends with the browser.',
        ['Permanent', 'Session'],
        { default: 'Session' },
      ),
    }),
  });
}

export function headerMatchType() {
  return choice(
    'Whether the value is compared as a whole or is a regular expression.',
    ['Exact', 'RegularExpression'],
    {
      default: 'Exact',
    },
  );
}
