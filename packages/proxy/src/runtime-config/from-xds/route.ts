import type { PathMatch, RedirectAction, Route, RouteAction, RouteMatch } from '../config.ts';
import type { Problems } from '../wire/problems.ts';
import type {
  DirectResponseAction,
  RedirectAction as RedirectSchema,
  RouteMatch as RouteMatchSchema,
  Route as RouteSchema,
} from '../wire/route-schema.ts';
import type { Decoded } from '../wire/schema.ts';
import { dataFromXds } from './data-source.ts';
import { forwardActionFromXds } from './forward-action.ts';
import { fractionPerMillion } from './fraction.ts';
import { headerEditsFromXds } from './header-edits.ts';
import { routeFilterConfigsFromXds } from './http-filters.ts';
import { type PathTemplate, pathTemplateFromXds } from './path-template.ts';
import { present } from './present.ts';
import { checkSubstitution, regexFromXds } from './regex.ts';
import { headerMatchFromXds, queryParameterMatchFromXds } from './string-match.ts';

/** `envoy.config.route.v3.Route` */
export function routeFromXds(
  route: Decoded<typeof RouteSchema>,
  maxBodyBytes: number,
  problems: Problems,
): Route | undefined {
  const { match } = route;
  if (match === undefined) {
    problems.add('required', 'match');
    return undefined;
  }
  const template = problems.within('match', () => templateFromXds(match, problems));
  const routeMatch = problems.within('match', () => matchFromXds(match, template, problems));
  const action = actionFromXds(route, template, maxBodyBytes, problems);
  const headers = headerEditsFromXds(route, problems);
  return routeMatch === undefined || action === undefined
    ? undefined
    : {
        name: route.name,
        ...(route.stat_prefix === '' ? {} : { statPrefix: route.stat_prefix }),
        match: routeMatch,
        action,
        headers,
        filterConfigs: routeFilterConfigsFromXds(route.typed_per_filter_config, problems),
        requestBufferLimitBytes: route.per_request_buffer_limit_bytes,
      };
}

function templateFromXds(match: Decoded<typeof RouteMatchSchema>, problems: Problems): PathTemplate | undefined {
  const { path_match_policy: policy } = match;
  if (policy === undefined) {
    return undefined;
  }
  return problems.within('path_match_policy', () => {
    const { typed_config: config } = policy;
    if (config === undefined) {
      problems.add('required', 'typed_config');
      return undefined;
    }
    return pathTemplateFromXds(config.value.path_template, problems);
  });
}

function matchFromXds(
  match: Decoded<typeof RouteMatchSchema>,
  template: PathTemplate | undefined,
  problems: Problems,
): RouteMatch | undefined {
  const path = pathMatchFromXds(match, template, problems);
  const fraction = match.runtime_fraction?.default_value;
  const headers = problems.each('headers', match.headers, (matcher) => headerMatchFromXds(matcher, problems));
  const queryParameters = problems.each('query_parameters', match.query_parameters, (matcher) =>
    queryParameterMatchFromXds(matcher, problems),
  );
  if (match.runtime_fraction !== undefined && fraction === undefined) {
    problems.add('required', 'runtime_fraction.default_value');
  }
  return path === undefined
    ? undefined
    : {
        path,
        caseSensitive: match.case_sensitive ?? true,
        headers: present(headers),
        queryParameters: present(queryParameters),
        runtimeFraction: fraction === undefined ? undefined : fractionPerMillion(fraction),
        grpcOnly: match.grpc !== undefined,
        tls:
          match.tls_context === undefined
            ? undefined
            : { presented: match.tls_context.presented, validated: match.tls_context.validated },
      };
}

function pathMatchFromXds(
  match: Decoded<typeof RouteMatchSchema>,
  template: PathTemplate | undefined,
  problems: Problems,
): PathMatch | undefined {
  if (match.connect_matcher !== undefined) {
    return { kind: 'connect' };
  }
  if (match.path_match_policy !== undefined) {
    return template === undefined ? undefined : { kind: 'regex', regex: template.regex };
  }
  if (match.prefix !== undefined) {
    return { kind: 'prefix', value: match.prefix };
  }
  if (match.path !== undefined) {
    return { kind: 'exact', value: match.path };
  }
  const { path_separated_prefix: separated, safe_regex: pattern } = match;
  if (separated !== undefined) {
    if (!/^\/[^?#]*[^/?#]$/.test(separated)) {
      problems.add('must begin with / and not end with it, without ? and #', 'path_separated_prefix');
    }
    return { kind: 'path-separated-prefix', value: separated };
  }
  if (pattern !== undefined) {
    const regex = problems.within('safe_regex', () => regexFromXds(pattern.regex, problems));
    return regex === undefined ? undefined : { kind: 'regex', regex };
  }
  problems.add(
    'one of prefix, path, path_separated_prefix, safe_regex, connect_matcher, path_match_policy is required',
  );
  return undefined;
}

function actionFromXds(
  route: Decoded<typeof RouteSchema>,
  template: PathTemplate | undefined,
  maxBodyBytes: number,
  problems: Problems,
): RouteAction | undefined {
  const { route: forward, redirect, direct_response: direct } = route;
  if (forward !== undefined) {
    return {
      kind: 'forward',
      forward: problems.within('route', () => forwardActionFromXds(forward, template, problems)),
    };
  }
  if (redirect !== undefined) {
    return { kind: 'redirect', redirect: problems.within('redirect', () => redirectFromXds(redirect, problems)) };
  }
  if (direct !== undefined) {
    return problems.within('direct_response', () => directResponseFromXds(direct, maxBodyBytes, problems));
  }
  problems.add('one of route, redirect, direct_response is required');
  return undefined;
}

function directResponseFromXds(
  direct: Decoded<typeof DirectResponseAction>,
  maxBodyBytes: number,
  problems: Problems,
): RouteAction {
  if (direct.status < 200 || direct.status > 599) {
    problems.add('must be from 200 to 599', 'status');
  }
  const source = direct.body;
  const body = source === undefined ? new Uint8Array(0) : problems.within('body', () => dataFromXds(source, problems));
  if (body.length > maxBodyBytes) {
    problems.add(`has ${body.length} bytes, more than the limit of ${maxBodyBytes}`, 'body');
  }
  return { kind: 'direct-response', status: direct.status, body };
}

const redirectStatus = {
  MOVED_PERMANENTLY: 301,
  FOUND: 302,
  SEE_OTHER: 303,
  TEMPORARY_REDIRECT: 307,
  PERMANENT_REDIRECT: 308,
} as const;

function redirectFromXds(redirect: Decoded<typeof RedirectSchema>, problems: Problems): RedirectAction {
  if (redirect.port_redirect > 65535) {
    problems.add('must be at most 65535', 'port_redirect');
  }
  for (const field of ['host_redirect', 'path_redirect', 'prefix_rewrite', 'scheme_redirect'] as const) {
    if (/[\0\r\n]/.test(redirect[field] ?? '')) {
      problems.add('holds a line break', field);
    }
  }
  return {
    scheme: redirect.https_redirect === true ? 'https' : redirect.scheme_redirect || undefined,
    host: redirect.host_redirect === '' ? undefined : redirect.host_redirect,
    port: redirect.port_redirect === 0 ? undefined : redirect.port_redirect,
    path: redirectPathFromXds(redirect, problems),
    stripQuery: redirect.strip_query,
    status: redirectStatus[redirect.response_code],
  };
}

function redirectPathFromXds(redirect: Decoded<typeof RedirectSchema>, problems: Problems): RedirectAction['path'] {
  if (redirect.path_redirect !== undefined) {
    return redirect.path_redirect === '' ? undefined : { kind: 'path', value: redirect.path_redirect };
  }
  if (redirect.prefix_rewrite !== undefined) {
    return { kind: 'prefix', value: redirect.prefix_rewrite };
  }
  const { regex_rewrite: rewrite } = redirect;
  if (rewrite === undefined) {
    return undefined;
  }
  return problems.within('regex_rewrite', () => {
    const source = rewrite.pattern?.regex ?? '';
    const regex = problems.within('pattern', () => regexFromXds(source, problems));
    checkSubstitution(source, rewrite.substitution, problems);
    return regex === undefined ? undefined : { kind: 'regex', regex, substitution: rewrite.substitution };
  });
}
