import { bytes, choice, flag, int32, list, map, object, text, uint32 } from '../../schema/fields.ts';
import {
  destination,
  duration,
  headerEdits,
  matchSource,
  percentage,
  stringMatch,
  weight,
} from './route-parts-schema.ts';

function httpMatch() {
  return object('Conditions that a request meets all of.', {
    name: text('Name of the match, for logs and statistics.'),
    uri: stringMatch('Path of the request with its query.'),
    scheme: stringMatch('Scheme of the request.'),
    method: stringMatch('Method of the request.'),
    authority: stringMatch('Authority (Host) of the request.'),
    headers: map(
      'Header fields by lower-case name; an empty match asks only that the field is there.',
      stringMatch('Value of the field.'),
    ),
    ...matchSource(),
    queryParams: map(
      'Query parameters by name; an empty match asks only that the parameter is there.',
      stringMatch('Value of the parameter.'),
    ),
    ignoreUriCase: flag('Whether `uri` is compared without regard to case; for exact and prefix only.'),
    withoutHeaders: map('Header fields that must not match.', stringMatch('Value of the field.')),
    statPrefix: text('Beginning of the names of statistics of requests that match.'),
  });
}

function httpRouteDestination() {
  return object(
    'One destination and its share.',
    {
      destination: destination('Where to send.'),
      weight: weight(),
      headers: headerEdits('Edits of header fields for this destination.'),
    },
    ['destination'],
  );
}

function redirect() {
  return object('Answer with a redirection instead of forwarding.', {
    uri: text('Path of the new location, in place of the whole path.'),
    prefixRewrite: text('What replaces the part of the path that a prefix match found.'),
    authority: text('Authority of the new location.'),
    port: uint32('Port of the new location.'),
    derivePort: choice('Where the port of the new location comes from; not together with `port`.', [
      'FROM_PROTOCOL_DEFAULT',
      'FROM_REQUEST_PORT',
    ]),
    scheme: text('Scheme of the new location: http or https.'),
    redirectCode: uint32('Status of the answer. Default 301.'),
  });
}

function directResponse() {
  return object(
    'Answer with a fixed response instead of forwarding.',
    {
      status: uint32('Status of the answer.'),
      body: object('Body of the answer; either text or bytes.', {
        string: text('The body as text.'),
        bytes: bytes('The body as base64.'),
      }),
    },
    ['status'],
  );
}

function rewrite() {
  return object('Changes of path and authority before the request is forwarded.', {
    uri: text('What replaces the part of the path that the match found.'),
    authority: text('What replaces the authority.'),
    uriRegexRewrite: object('Replaces what a regular expression finds in the path.', {
      match: text('The regular expression (RE2 syntax).'),
      rewrite: text('The replacement; \\1 stands for the first group.'),
    }),
  });
}

export function retries() {
  return object('What to do when a request fails.', {
    attempts: int32('How often a request is tried again at most. Zero switches retries off.'),
    perTryTimeout: duration('Longest wait for each try. Default: the timeout of the route.'),
    retryOn: text('Failures that are tried again: names of conditions and status codes with commas between them.'),
    retryRemoteLocalities: flag('Whether a further try may go to another locality.'),
    retryIgnorePreviousHosts: flag('Whether a further try leaves out endpoints tried before. Default true.'),
    backoff: duration('Smallest wait between tries.'),
  });
}

function fault() {
  return object('Failures made on purpose, to see how callers bear them.', {
    delay: object('Hold requests up. One of fixedDelay and exponentialDelay.', {
      percent: int32('Share of the requests in whole percent. Use `percentage`.'),
      percentage: percentage('Share of the requests. Default all.'),
      fixedDelay: duration('How long each is held up.'),
      exponentialDelay: duration('Mean of a random delay. Nothing acts on it.'),
    }),
    abort: object('Answer requests with an error. One of httpStatus, grpcStatus and http2Error.', {
      httpStatus: int32('Status of the answer.'),
      grpcStatus: text('gRPC status of the answer, by its name, such as UNAVAILABLE.'),
      http2Error: text('HTTP/2 error of the answer. Nothing acts on it.'),
      percentage: percentage('Share of the requests. Default all.'),
    }),
  });
}

function corsPolicy() {
  return object('Cross-origin resource sharing: which web pages of other origins may call.', {
    allowOrigin: list('Origins that may call, in full. Use `allowOrigins`.', text('An origin, or `*`.')),
    allowOrigins: list('Origins that may call.', stringMatch('An origin.')),
    allowMethods: list('Methods that are allowed.', text('A method.')),
    allowHeaders: list('Header fields that requests may have.', text('Name of a field.')),
    exposeHeaders: list('Header fields of responses that a page may read.', text('Name of a field.')),
    maxAge: duration('How long a browser may remember the answer to a preflight request.'),
    allowCredentials: flag('Whether requests may carry cookies and the like.'),
    unmatchedPreflights: choice('What becomes of preflight requests of other origins.', [
      'UNSPECIFIED',
      'FORWARD',
      'IGNORE',
    ]),
  });
}

/** One item of VirtualService.spec.http. */
export function httpRoute() {
  return object('A rule for requests: the first whose match holds decides.', {
    name: text('Name of the rule, for logs.'),
    match: list('Matches; one of them is enough, and without any the rule takes every request.', httpMatch()),
    route: list('Destinations among which requests are shared out by weight.', httpRouteDestination()),
    redirect: redirect(),
    directResponse: directResponse(),
    delegate: object('Hand over to the routes of another VirtualService, which has no hosts.', {
      name: text('Name of the VirtualService.'),
      namespace: text('Its namespace. Default: that of this object.'),
    }),
    rewrite: rewrite(),
    timeout: duration('Longest wait for the response. Default: none.'),
    retries: retries(),
    fault: fault(),
    mirror: destination('Where a copy of each request goes; its response is thrown away. Use `mirrors`.'),
    mirrors: list(
      'Where copies of requests go; their responses are thrown away.',
      object(
        'One mirror.',
        {
          destination: destination('Where the copy goes.'),
          percentage: percentage('Share of the requests. Default all.'),
        },
        ['destination'],
      ),
    ),
    mirrorPercent: uint32('Share of the requests for `mirror` in whole percent. Use `mirrorPercentage`.'),
    mirror_percent: uint32('Old spelling of `mirrorPercent`.'),
    mirrorPercentage: percentage('Share of the requests for `mirror`. Default all.'),
    corsPolicy: corsPolicy(),
    headers: headerEdits('Edits of header fields.'),
  });
}
