import type { OriginRef } from '@weft/ir';
import type { HttpMatchSpec, VirtualService } from '../kinds.ts';
import { exportedTo } from '../match.ts';
import { inScope } from '../state/egress-scope.ts';
import { type Client, forSidecars } from '../state/mesh-state.ts';
import { httpRulesOf } from '../to-ir/delegation.ts';
import { meshRoutesOf } from '../to-ir/gateway-api/mesh-routes.ts';
import type { RequestedHost } from '../to-ir/http-routes.ts';
import type { RuleSource } from '../to-ir/rule-source.ts';
import { unmetBySource } from '../to-ir/select-rules.ts';
import { type ExplainedValue, originText, refText } from './effective.ts';
import type { RoutesOfHost, Walk } from './request-walk.ts';

/** Whose rules a host has for a client of the mesh, and who else has rules for it. */
export function rivalsAt(
  { state, client }: Walk,
  { host, service }: RequestedHost,
): { readonly values: readonly ExplainedValue[]; readonly passedOver: readonly ExplainedValue[] } {
  const chosen = state.virtualServiceOf(host, client);
  const decides = (chosen?.spec?.http ?? []).length > 0 ? chosen : undefined;
  const lists = [...state.virtualServices.covering(host)];
  const rank = (object: VirtualService): number => lists.findIndex((list) => list.includes(object));
  const virtualServices = lists.flat().flatMap((object): readonly ExplainedValue[] => {
    const name = `VirtualService ${object.metadata.namespace}/${object.metadata.name}`;
    const isHidden = hiddenFrom(object, host, client);
    const value =
      isHidden?.value ??
      (chosen !== undefined && rank(chosen) < rank(object) ? 'its host is less specific' : 'it is younger');
    return object === chosen ? [] : [{ name, value, origin: originText(object, isHidden?.path ?? 'spec.hosts') }];
  });
  const inForce =
    service === undefined || decides !== undefined ? [] : meshRoutesOf(state, client, service.model, service.port);
  const attached = service === undefined ? [] : state.routes.attachedTo(service.model.objectKey);
  const routes = attached
    .filter((route) => inForce.every((other) => other !== route))
    .map((route) => ({
      name: `${route.kind} ${route.metadata.namespace}/${route.metadata.name}`,
      value:
        decides === undefined
          ? 'it is for another port, or for clients of other namespaces'
          : 'a VirtualService goes first',
      origin: originText(route, 'spec.parentRefs'),
    }));
  const rules =
    decides === undefined
      ? inForce.map((route) => ({ object: route, path: 'spec.parentRefs' }))
      : [{ object: decides, path: 'spec.hosts' }];
  return {
    passedOver: [...virtualServices, ...routes],
    values:
      rules.length === 0
        ? [{ name: 'rules', value: 'none: everything goes to the service', origin: '' }]
        : rules.map(({ object, path }) => ({
            name: 'rules',
            value: `those of ${object.kind} ${object.metadata.namespace}/${object.metadata.name}`,
            origin: originText(object, path),
          })),
  };
}

/** Why a VirtualService is nothing to a client; undefined: it is for it. */
function hiddenFrom(
  object: VirtualService,
  host: string,
  client: Client,
): { readonly value: string; readonly path: string } | undefined {
  const namespace = object.metadata.namespace ?? '';
  if (!forSidecars(object)) {
    return { value: 'it is for gateways', path: 'spec.gateways' };
  }
  if (!exportedTo(object.spec?.exportTo, namespace, client.namespace)) {
    return { value: `it is not exported to namespace ${client.namespace}`, path: 'spec.exportTo' };
  }
  return inScope(client.scope, namespace, host, undefined)
    ? undefined
    : {
        value: `${client.scope === undefined ? '' : refText(client.scope.origin)} leaves it out`,
        path: 'metadata.namespace',
      };
}

/**
 * The rules before the one that was taken that are not among the routes, as nothing that the client sends can match them.
 * @param taken undefined: all such rules.
 */
export function rulesOfOthers(
  { state }: Walk,
  { routes, port, clients }: RoutesOfHost,
  taken: RuleSource | undefined,
): readonly ExplainedValue[] {
  return virtualServicesOf(state, routes.origins).flatMap((object) => {
    const { rules } = httpRulesOf(state, object);
    const position = rules.findIndex(({ source }) => source.object === taken?.object && source.path === taken.path);
    const before = position < 0 ? rules : rules.slice(0, position);
    return before.flatMap(({ rule, label, source }) => {
      const unmet = (rule.match ?? []).map((match) =>
        wantsOther(match, object.metadata.namespace ?? '', clients, port),
      );
      const [first] = unmet;
      return first === undefined || unmet.includes(undefined)
        ? []
        : [{ name: rule.name ?? label, value: first, origin: originText(source.object, source.path) }];
    });
  });
}

/** Those with hosts of their own: others are delegates. */
function virtualServicesOf(state: Walk['state'], origins: readonly OriginRef[]): readonly VirtualService[] {
  return origins.flatMap(({ kind, namespace, name }) => {
    const object =
      kind === 'VirtualService'
        ? state.object('networking.istio.io/VirtualService', `${namespace}/${name}`)
        : undefined;
    return object === undefined || (object.spec?.hosts ?? []).length === 0 ? [] : [object];
  });
}

/** What a condition asks that no request of these clients has; undefined: some may meet it. */
function wantsOther(
  match: HttpMatchSpec,
  namespace: string,
  clients: readonly Client[],
  port: number,
): string | undefined {
  const unmet = clients.map((client) => unmetBySource(match, namespace, client, port));
  switch (unmet.includes(undefined) ? undefined : unmet[0]) {
    case undefined:
      return undefined;
    case 'port':
      return `it is for port ${match.port}`;
    case 'gateways':
      return `it is for what comes through ${(match.gateways ?? []).join(', ')}`;
    case 'sourceNamespace':
      return `it is for workloads of namespace ${match.sourceNamespace}`;
    case 'sourceLabels':
      return `it is for workloads with ${Object.entries(match.sourceLabels ?? {})
        .map(([name, value]) => `${name}=${value}`)
        .join(', ')}`;
  }
}
