import {
  type Destination,
  type ForwardAction,
  type HeaderEdits,
  type HttpAction,
  type HttpRoute,
  type HttpRoutes,
  noHeaderEdits,
  type OutboundCluster,
  type PathRewrite,
  plainForward,
  type RedirectAction,
} from '@weft/ir';
import { parseDurationMs } from '@weft/resources';
import { type MeshDefaults, meshDefaults } from '../defaults.ts';
import type {
  DestinationSpec,
  HttpDestinationSpec,
  HttpMatchSpec,
  HttpRouteSpec,
  RedirectSpec,
  RouteActionPolicy,
  VirtualService,
} from '../kinds.ts';
import { originOf } from '../origin.ts';
import type { Client, MeshState } from '../state/mesh-state.ts';
import { policyOfRule } from '../state/route-action-policies.ts';
import type { ServiceModel, ServicePortModel } from '../state/service-model.ts';
import { corsOf } from './cors.ts';
import { httpRulesOf } from './delegation.ts';
import { hashesOf, hashText, resolveDestination, serviceTarget, type Target } from './destination.ts';
import { faultOf } from './fault.ts';
import { meshHttpRoutes } from './gateway-api/mesh-routes.ts';
import { headerEdits, hostFromHeaders } from './header-edits.ts';
import { withHedging } from './hedging.ts';
import { httpMatch } from './http-match.ts';
import { type MirrorSpec, mirrorSpecs, mirrorsOf } from './mirrors.ts';
import { retryPolicy } from './retry.ts';
import { refsOf, withSource } from './rule-source.ts';
import { type SelectedHttpRule, selectHttpRules } from './select-rules.ts';

/** What requests are made to. */
export interface RequestedHost {
  readonly host: string;
  readonly port: number;
  /** undefined: only a VirtualService knows the host. */
  readonly service: { readonly model: ServiceModel; readonly port: ServicePortModel } | undefined;
  /** The authority to send instead of what the workload wrote; undefined leaves it. */
  readonly authority: string | undefined;
}

/** Routes and the clusters that they lead to. */
export interface RoutesAndClusters {
  readonly routes: HttpRoutes;
  readonly clusters: readonly OutboundCluster[];
}

/** The routes of one host and port for one client; undefined when neither a service nor a VirtualService has the host. */
export function httpRoutes(state: MeshState, client: Client, requested: RequestedHost): RoutesAndClusters | undefined {
  const virtualService = state.virtualServiceOf(requested.host, client);
  if (virtualService?.spec?.http !== undefined && virtualService.spec?.http.length > 0) {
    return routesOfVirtualService(state, client, requested, virtualService);
  }
  if (requested.service === undefined) {
    return undefined;
  }
  const { model, port } = requested.service;
  const mesh = meshHttpRoutes(state, client, model, port);
  if (mesh !== undefined) {
    return mesh;
  }
  const target = serviceTarget(state, client, model, port, '');
  const routes = state.memo.get(
    `default-routes|${target.clusterName}|${requested.authority ?? ''}`,
    [
      target.clusterName,
      target.cluster !== undefined,
      requested.authority,
      model.origin,
      hashText([target]),
      meshDefaults[state.settings.defaults],
    ] as const,
    ([cluster, resolved, authority, origin, , defaults]): HttpRoutes => ({
      routes: [
        {
          name: 'default',
          match: httpMatch(undefined),
          action: {
            ...plainForward,
            destinations: [{ cluster, weight: 1, resolved, headers: noHeaderEdits }],
            hostRewrite: authority,
            timeoutMs: defaults.requestTimeoutMs,
            idleTimeoutMs: defaults.streamIdleTimeoutMs,
            retry: defaults.retry,
            hashes: hashesOf([target]),
          },
          headers: noHeaderEdits,
          fault: undefined,
          cors: undefined,
        },
      ],
      origins: [origin],
    }),
  );
  return { routes, clusters: target.cluster === undefined ? [] : [target.cluster] };
}

/** The routes of a VirtualService for requests of `client` to one host and port. */
export function routesOfVirtualService(
  state: MeshState,
  client: Client,
  requested: RequestedHost,
  virtualService: VirtualService,
): RoutesAndClusters {
  const rules = selectHttpRules(state, virtualService, client, requested.port);
  const policies = rules.map(({ source }) => policyOfRule(state, refsOf(source)));
  const { origins } = httpRulesOf(state, virtualService);
  const targets = rules.map(({ rule, namespace }): RuleTargets => {
    const resolve = ({ destination }: { readonly destination: DestinationSpec }): Target =>
      resolveDestination(state, client, destination, namespace, requested.port);
    const mirrors = mirrorSpecs(rule);
    return { routed: (rule.route ?? []).map(resolve), mirrors, mirrored: mirrors.map(resolve) };
  });
  const all = targets.flatMap(({ routed, mirrored }) => [...routed, ...mirrored]);
  // Names, whether they resolve and hashes are all that routes take from their targets, so a change of a cluster leaves them alone.
  const text = all
    .map(({ clusterName, cluster }) => `${clusterName}${cluster === undefined ? '!' : ''}`)
    .concat(hashText(targets.flatMap(({ routed }) => routed)))
    .join(',');
  const label = `${virtualService.metadata.namespace ?? ''}/${virtualService.metadata.name}`;
  const routes = state.memo.get(
    `routes|${label}|${requested.host}|${requested.port}|${requested.authority ?? ''}|${text}`,
    [
      rules,
      origins,
      requested.service?.model.origin,
      text,
      requested.port,
      requested.authority,
      meshDefaults[state.settings.defaults],
      ...policies,
    ] as const,
    ([selected, ruleOrigins, serviceOrigin, , port, authority, defaults, ...added]): HttpRoutes => ({
      routes: selected.flatMap((entry, index) =>
        routesOfRule(entry, targets[index] ?? noTargets, port, authority, { defaults, policy: added[index] }),
      ),
      origins: [
        ...(serviceOrigin === undefined ? [] : [serviceOrigin]),
        ...ruleOrigins,
        ...[...new Set(added)].flatMap((policy) => (policy === undefined ? [] : [originOf(policy)])),
      ],
    }),
  );
  return { routes, clusters: all.flatMap(({ cluster }) => cluster ?? []) };
}

/** What the destinations of a rule came to, in their order. */
interface RuleTargets {
  readonly routed: readonly Target[];
  readonly mirrors: readonly MirrorSpec[];
  readonly mirrored: readonly Target[];
}

const noTargets: RuleTargets = { routed: [], mirrors: [], mirrored: [] };

/** What counts where a rule says nothing. */
interface Otherwise {
  readonly defaults: MeshDefaults;
  readonly policy: RouteActionPolicy | undefined;
}

function routesOfRule(
  { rule, label, matches, source }: SelectedHttpRule,
  targets: RuleTargets,
  port: number,
  authority: string | undefined,
  otherwise: Otherwise,
): readonly HttpRoute[] {
  const ruleName = rule.name ?? label;
  const { action, headers } = actionOf(rule, targets, port, authority, otherwise);
  const fault = faultOf(rule.fault, otherwise.policy);
  const cors = corsOf(rule.corsPolicy);
  const conditions = (source.rule as HttpRouteSpec).match ?? [];
  return (matches ?? [undefined]).map((match) => {
    const route: HttpRoute = {
      name: match?.name === undefined ? ruleName : `${ruleName}.${match.name}`,
      ...statPrefixOf(match),
      match: httpMatch(match),
      action,
      headers,
      fault,
      cors,
    };
    const index = match === undefined ? -1 : conditions.indexOf(match);
    const written = index < 0 ? undefined : `match[${index}]`;
    return withSource(route, { ...source, match: written, policy: otherwise.policy });
  });
}

function statPrefixOf(match: HttpMatchSpec | undefined): Pick<HttpRoute, 'statPrefix'> {
  const { statPrefix = '' } = match ?? {};
  return statPrefix === '' ? {} : { statPrefix };
}

function actionOf(
  rule: HttpRouteSpec,
  { routed, mirrors, mirrored }: RuleTargets,
  port: number,
  authority: string | undefined,
  otherwise: Otherwise,
): { readonly action: HttpAction; readonly headers: HeaderEdits } {
  const headers = headerEdits(rule.headers);
  if (rule.redirect !== undefined) {
    return { action: redirectAction(rule.redirect, port), headers };
  }
  if (rule.directResponse !== undefined) {
    const { status, body } = rule.directResponse;
    const bytes = body?.bytes === undefined ? Buffer.from(body?.string ?? '') : Buffer.from(body.bytes, 'base64');
    return { action: { kind: 'direct-response', status, body: new Uint8Array(bytes) }, headers };
  }
  const destinations = weigh(rule, routed);
  if (destinations.length === 0) {
    // Neither a route nor an answer of its own: a delegate that there is not. Fail closed.
    return { action: { kind: 'direct-response', status: 503, body: new Uint8Array() }, headers };
  }
  const only = rule.route?.length === 1 ? rule.route[0] : undefined;
  return {
    action: {
      ...plainForward,
      destinations,
      pathRewrite: pathRewrite(rule.rewrite),
      hostRewrite:
        rule.rewrite?.authority ?? hostFromHeaders(only?.headers) ?? hostFromHeaders(rule.headers) ?? authority,
      ...timeoutAndRetries(rule, otherwise),
      idleTimeoutMs: otherwise.defaults.streamIdleTimeoutMs,
      mirrors: mirrorsOf(mirrors, mirrored),
      hashes: hashesOf(routed),
    },
    headers,
  };
}

/** How long a rule of a VirtualService waits, and how often it tries. */
export function timeoutAndRetries(
  { timeout, retries }: Pick<HttpRouteSpec, 'timeout' | 'retries'>,
  { defaults, policy }: Otherwise,
): Pick<ForwardAction, 'timeoutMs' | 'retry'> {
  const timeoutMs = timeout === undefined ? defaults.requestTimeoutMs : (parseDurationMs(timeout) ?? 0);
  const retry = retryPolicy(retries ?? policy?.spec.retries, defaults.retry);
  return { timeoutMs, retry: withHedging(retry, timeoutMs, policy) };
}

/** The share of each destination of a rule; 0: it has no traffic. When nobody has a weight, all have the same. */
export function sharesOf(entries: readonly { readonly weight?: number | undefined }[]): readonly number[] {
  const total = entries.reduce((sum, { weight }) => sum + (weight ?? 0), 0);
  return entries.map(({ weight }) => (entries.length === 1 || total === 0 ? 1 : (weight ?? 0)));
}

/** Shares without traffic are left out. */
function weigh(rule: HttpRouteSpec, targets: readonly Target[]): readonly Destination[] {
  const entries = rule.route ?? [];
  const shares = sharesOf(entries);
  return entries.flatMap((entry, index) => {
    const target = targets[index];
    const weight = shares[index] ?? 0;
    if (target === undefined || weight === 0) {
      return [];
    }
    return [
      {
        cluster: target.clusterName,
        weight,
        resolved: target.cluster !== undefined,
        headers: headerEdits(entry.headers),
        ...(entries.length > 1 ? hostOf(entry.headers) : {}),
      },
    ];
  });
}

function hostOf(headers: HttpDestinationSpec['headers']): Pick<Destination, 'hostRewrite'> {
  const host = hostFromHeaders(headers);
  return host === undefined ? {} : { hostRewrite: host };
}

function pathRewrite(rewrite: HttpRouteSpec['rewrite']): PathRewrite | undefined {
  const regex = rewrite?.uriRegexRewrite;
  if (regex?.match !== undefined) {
    return { kind: 'regex', pattern: regex.match, substitution: regex.rewrite ?? '' };
  }
  return rewrite?.uri === undefined ? undefined : { kind: 'matched', value: rewrite.uri };
}

const redirectCodes: readonly RedirectAction['status'][] = [301, 302, 303, 307, 308];
const keepPrefix = '%PREFIX()%';

function redirectAction(spec: RedirectSpec, requestPort: number): RedirectAction {
  return {
    kind: 'redirect',
    status: redirectCodes.find((code) => code === spec.redirectCode) ?? 301,
    scheme: spec.scheme,
    authority: spec.authority,
    port: spec.derivePort === 'FROM_REQUEST_PORT' ? requestPort : spec.port,
    path:
      spec.prefixRewrite !== undefined
        ? { kind: 'prefix', value: spec.prefixRewrite }
        : spec.uri === undefined
          ? undefined
          : spec.uri.startsWith(keepPrefix)
            ? { kind: 'prefix', value: spec.uri.slice(keepPrefix.length) }
            : { kind: 'path', value: spec.uri },
  };
}
