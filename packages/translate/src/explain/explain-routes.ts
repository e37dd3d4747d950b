import type { HttpRoute } from '@weft/ir';
import type { KubeGrpcRoute, KubeHttpRoute, VirtualService } from '../kinds.ts';
import { keyOf } from '../kinds.ts';
import type { Client, MeshState } from '../state/mesh-state.ts';
import type { ServiceModel, ServicePortModel } from '../state/service-model.ts';
import { httpRulesOf } from '../to-ir/delegation.ts';
import { httpRoutes } from '../to-ir/http-routes.ts';
import { type ExplainedValue, meshDefault, originText, timeText } from './effective.ts';
import { describeMatch } from './match-request.ts';

/** Where the settings of a route stand. */
interface RouteSource {
  readonly rule: string;
  readonly timeout: string;
  readonly retry: string;
}

/** The routes of one port as a client has them: each with what it takes, where it leads, its timeout and its retries. */
export function routeValues(
  state: MeshState,
  client: Client,
  service: ServiceModel,
  port: ServicePortModel,
): readonly ExplainedValue[] {
  const requested = { host: service.host, port: port.number, service: { model: service, port }, authority: undefined };
  const found = httpRoutes(state, client, requested);
  const sources = sourcesOf(state, client, service);
  const otherwise = meshDefault(state.settings.defaults);
  return (found?.routes.routes ?? []).flatMap((route) => {
    // A match with a name has its route called `<rule>.<match>`.
    const source = sources.get(route.name) ?? sources.get(route.name.slice(0, route.name.lastIndexOf('.')));
    return valuesOf(
      route,
      otherwise,
      source ?? { rule: originText(service.object), timeout: otherwise, retry: otherwise },
    );
  });
}

function valuesOf(route: HttpRoute, otherwise: string, source: RouteSource): readonly ExplainedValue[] {
  const conditions = describeMatch(route.match);
  const { action } = route;
  const what: ExplainedValue = {
    name: route.name,
    value: `${conditions.length === 0 ? 'every request' : conditions.join(', ')} → ${actionText(route)}`,
    origin: source.rule,
  };
  if (action.kind !== 'forward') {
    return [what];
  }
  const { retry } = action;
  const codes = retry === undefined || retry.statusCodes.length === 0 ? '' : ` (${retry.statusCodes.join(', ')})`;
  const perTry = retry === undefined || retry.perTryTimeoutMs === 0 ? '' : `, ${timeText(retry.perTryTimeoutMs)} each`;
  return [
    what,
    { name: '  timeout', value: timeText(action.timeoutMs), origin: source.timeout },
    // No resource has a field for it.
    {
      name: '  idle timeout',
      value: action.idleTimeoutMs === undefined ? '1 h' : timeText(action.idleTimeoutMs),
      origin: otherwise,
    },
    {
      name: '  retries',
      value: retry === undefined ? 'none' : `${retry.attempts}, on ${retry.on.join(', ')}${codes}${perTry}`,
      origin: source.retry,
    },
  ];
}

function actionText({ action }: HttpRoute): string {
  switch (action.kind) {
    case 'direct-response':
      return `answers ${action.status}`;
    case 'redirect':
      return `redirects with ${action.status}`;
    case 'forward': {
      const total = action.destinations.reduce((sum, { weight }) => sum + weight, 0);
      return action.destinations
        .map(({ cluster, weight, resolved }) => {
          const share = action.destinations.length === 1 ? '' : `${Math.round((weight / total) * 1_000) / 10} % `;
          return `${share}${cluster}${resolved ? '' : ` (does not exist: ${action.unresolvedStatus})`}`;
        })
        .join(', ');
    }
  }
}

/** By the name of the route. */
function sourcesOf(state: MeshState, client: Client, service: ServiceModel): ReadonlyMap<string, RouteSource> {
  const virtualService = state.virtualServiceOf(service.host, client);
  if (virtualService !== undefined && (virtualService.spec?.http ?? []).length > 0) {
    return ofVirtualService(state, virtualService);
  }
  const attached = state.routes
    .attachedTo(service.objectKey)
    .filter(
      (route): route is KubeHttpRoute | KubeGrpcRoute => route.kind === 'HTTPRoute' || route.kind === 'GRPCRoute',
    );
  // Those of the client's own namespace are in force, if there are any, and names of rules may be the same.
  const consumer = attached.filter(({ metadata }) => metadata.namespace === client.namespace);
  return new Map(
    (consumer.length > 0 ? consumer : attached).flatMap((route) =>
      ofKubeRoute(route, meshDefault(state.settings.defaults)),
    ),
  );
}

function ofVirtualService(state: MeshState, root: VirtualService): ReadonlyMap<string, RouteSource> {
  const otherwise = meshDefault(state.settings.defaults);
  return new Map(
    httpRulesOf(state, root).rules.map(({ rule, label }): [string, RouteSource] => {
      const [key = '', index = '0'] = label.split('#');
      const owner = state.object('networking.istio.io/VirtualService', key) ?? root;
      const own = owner.spec?.http?.[Number(index)];
      const path = `spec.http[${index}]`;
      const setting = (field: 'timeout' | 'retries'): string =>
        rule[field] === undefined
          ? otherwise
          : own?.[field] === undefined
            ? `${originText(root)}, which delegates`
            : originText(owner, `${path}.${field}`);
      return [
        rule.name ?? label,
        { rule: originText(owner, path), timeout: setting('timeout'), retry: setting('retries') },
      ];
    }),
  );
}

function ofKubeRoute(route: KubeHttpRoute | KubeGrpcRoute, otherwise: string): readonly [string, RouteSource][] {
  return (route.spec.rules ?? []).map((rule, index): [string, RouteSource] => {
    const path = `spec.rules[${index}]`;
    const http = rule as NonNullable<KubeHttpRoute['spec']['rules']>[number];
    const timeout =
      http.timeouts?.request !== undefined
        ? 'timeouts.request'
        : http.timeouts?.backendRequest !== undefined
          ? 'timeouts.backendRequest'
          : undefined;
    return [
      rule.name ?? `${keyOf(route)}#${index}`,
      {
        rule: originText(route, path),
        timeout: timeout === undefined ? otherwise : originText(route, `${path}.${timeout}`),
        retry: http.retry === undefined ? otherwise : originText(route, `${path}.retry`),
      },
    ];
  });
}
