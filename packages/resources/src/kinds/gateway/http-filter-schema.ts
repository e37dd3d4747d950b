import { choice, flag, integer, integerChoice, list, object, text } from '../../schema/fields.ts';
import { headerName, preciseHost } from './names-schema.ts';
import { backendReference, gatewayPort, localReference } from './references-schema.ts';
import { asSet, headerModifier, requestMirror } from './route-parts-schema.ts';

const originPattern = /(^\*$)|(^(http(s)?):\/\/(((\*\.)?([a-zA-Z0-9-]+\.)*[a-zA-Z0-9-]+|\*)(:([0-9]{1,5}))?)$)/;
const pathPattern = /^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|[%][0-9a-fA-F]{2})+$/;

export const httpRouteMethods = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'CONNECT',
  'OPTIONS',
  'TRACE',
  'PATCH',
] as const;

function pathModifier(description: string) {
  return object(
    description,
    {
      type: choice('What is replaced: the whole path, or the part of it that a PathPrefix match found.', [
        'ReplaceFullPath',
        'ReplacePrefixMatch',
      ]),
      replaceFullPath: text('The new path, for type ReplaceFullPath.', { max: 1024 }),
      replacePrefixMatch: text('What stands in place of the prefix, for type ReplacePrefixMatch.', { max: 1024 }),
    },
    ['type'],
  );
}

function requestRedirect() {
  return object('Answer with a redirection instead of forwarding.', {
    scheme: choice('Scheme of the new location. Default: that of the request.', ['http', 'https']),
    hostname: preciseHost('Host of the new location. Default: that of the request.'),
    path: pathModifier('Path of the new location. Default: that of the request.'),
    port: gatewayPort(
      'Port of the new location. Default: the port of the new scheme where `scheme` is set, that of the listener otherwise.',
    ),
    statusCode: integerChoice('Status of the answer.', [301, 302, 303, 307, 308], { default: 302 }),
  });
}

function cors() {
  const fieldNames = (description: string) => list(description, headerName('Name of a field.'), { max: 64 }, asSet);
  return object('Cross-origin resource sharing: which web pages of other origins may call.', {
    allowOrigins: list(
      'Origins that may call; `*` alone is every origin.',
      text('An origin: scheme, host (or `*.` and a host), port if it is not that of the scheme.', {
        min: 1,
        max: 253,
        pattern: originPattern,
        form: 'an origin such as https://shop.example.com, https://*.example.com or *',
      }),
      { max: 64 },
      asSet,
    ),
    allowCredentials: flag('Whether requests may carry cookies and the like. Default false.'),
    allowMethods: list(
      'Methods that are allowed; `*` alone is every method.',
      choice('A method.', [...httpRouteMethods, '*']),
      { max: 9 },
      asSet,
    ),
    allowHeaders: fieldNames('Header fields that requests may have; `*` alone is every field.'),
    exposeHeaders: fieldNames('Header fields of responses that a page may read; `*` alone is every field.'),
    maxAge: integer(
      'How many seconds a browser may remember the answer to a preflight request.',
      { min: 1, max: 2_147_483_647 },
      { format: 'int32', default: 5 },
    ),
  });
}

function externalAuth() {
  const fieldNames = (description: string) => list(description, text('Name of a field.'), { max: 64 }, asSet);
  return object(
    'Ask another service whether the request may go on.',
    {
      protocol: choice('How the service is asked: by a plain HTTP request, or by Envoy’s gRPC protocol.', [
        'HTTP',
        'GRPC',
      ]),
      backendRef: backendReference('The service that is asked.'),
      grpc: object('For protocol GRPC.', {
        allowedHeaders: fieldNames('Header fields of the request that the service is told. Default: all.'),
      }),
      http: object('For protocol HTTP.', {
        path: text('Prefix of the path of the question.', {
          max: 1024,
          pattern: pathPattern,
          form: 'a path',
        }),
        allowedHeaders: fieldNames(
          'Header fields of the request that the service is told, besides those it always is.',
        ),
        allowedResponseHeaders: fieldNames('Header fields of the answer that are put into the request. Default: all.'),
      }),
      forwardBody: object('Whether and how the body is sent along. Default: it is not.', {
        maxSize: integer('Most bytes of the body that are sent along.'),
      }),
    },
    ['backendRef', 'protocol'],
  );
}

/** One step of HTTPRoute's `filters`. */
export function httpRouteFilter() {
  return object(
    'One step on requests or responses: the field that `type` names says what it does.',
    {
      type: choice('What the step does.', [
        'RequestHeaderModifier',
        'ResponseHeaderModifier',
        'RequestMirror',
        'RequestRedirect',
        'URLRewrite',
        'ExtensionRef',
        'CORS',
        'ExternalAuth',
      ]),
      requestHeaderModifier: headerModifier('Edits of the header fields of the request.'),
      responseHeaderModifier: headerModifier('Edits of the header fields of the response.'),
      requestMirror: requestMirror(),
      requestRedirect: requestRedirect(),
      urlRewrite: object('Changes of host and path before the request is forwarded.', {
        hostname: preciseHost('What replaces the host.'),
        path: pathModifier('What replaces the path.'),
      }),
      cors: cors(),
      externalAuth: externalAuth(),
      extensionRef: localReference('An object that describes a step of an implementation’s own.'),
    },
    ['type'],
  );
}
