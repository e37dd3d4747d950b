import {
  type HttpMatchSpec,
  mesh,
  type SourceMatchSpec,
  type TcpRouteSpec,
  type TlsRouteSpec,
  type VirtualService,
} from '../kinds.ts';
import { gatewayKey, selects } from '../match.ts';
import type { Client, MeshState } from '../state/mesh-state.ts';
import { type HttpRule, httpRulesOf } from './delegation.ts';
import { addressesMatch } from './destination-subnets.ts';

/** A rule of a VirtualService that can apply, with those of its matches that can. */
export interface SelectedHttpRule extends HttpRule {
  /** undefined: the rule has no conditions. */
  readonly matches: readonly HttpMatchSpec[] | undefined;
}

/**
 * What a match asks of the source and the port that is not true of requests of `client` to `port`; undefined: nothing, so that it can
 * match. @param namespace in which the match is written.
 */
export function unmetBySource(
  match: SourceMatchSpec,
  namespace: string,
  client: Client,
  port: number,
): 'port' | 'gateways' | 'sourceNamespace' | 'sourceLabels' | undefined {
  if (match.port !== undefined && match.port !== port) {
    return 'port';
  }
  if (!throughGateway(match.gateways, namespace, client)) {
    return 'gateways';
  }
  const { sourceNamespace = '' } = match;
  if (sourceNamespace !== '' && sourceNamespace !== client.namespace) {
    return 'sourceNamespace';
  }
  return selects(match.sourceLabels, client.labels) ? undefined : 'sourceLabels';
}

function canMatch(match: SourceMatchSpec, namespace: string, client: Client, port: number): boolean {
  return unmetBySource(match, namespace, client, port) === undefined;
}

/** Whether one of `gateways`, written in `namespace`, is where the client's requests come through; none named = any. */
function throughGateway(gateways: readonly string[] | undefined, namespace: string, client: Client): boolean {
  return (
    gateways === undefined ||
    gateways.length === 0 ||
    gateways.some((name) =>
      client.gateway === undefined ? name === mesh : name !== mesh && gatewayKey(name, namespace) === client.gateway,
    )
  );
}

/** The HTTP rules that can apply to requests of `client` to `port`; the same array for all clients for which it is the same. */
export function selectHttpRules(
  state: MeshState,
  object: VirtualService,
  client: Client,
  port: number,
): readonly SelectedHttpRule[] {
  const { rules } = httpRulesOf(state, object);
  const namespace = object.metadata.namespace ?? '';
  let mask = '';
  for (const { rule } of rules) {
    for (const match of rule.match ?? []) {
      mask += canMatch(match, namespace, client, port) ? '1' : '0';
    }
  }
  const key = `rules|${namespace}/${object.metadata.name}|${mask}`;
  return state.memo.get(key, [rules, mask] as const, ([all, bits]) => {
    let bit = 0;
    const selected: SelectedHttpRule[] = [];
    for (const entry of all) {
      const every = entry.rule.match ?? [];
      const matches = every.filter((_, offset) => bits[bit + offset] === '1');
      bit += every.length;
      if (every.length === 0) {
        selected.push({ ...entry, matches: undefined });
      } else if (matches.length > 0) {
        selected.push({ ...entry, matches });
      }
    }
    return selected;
  });
}

/**
 * The first TCP rule that applies.
 * @param addresses of the destination, as far as they are known.
 */
export function selectTcpRule(
  object: VirtualService,
  client: Client,
  port: number,
  addresses: readonly string[],
): TcpRouteSpec | undefined {
  const namespace = object.metadata.namespace ?? '';
  return object.spec?.tcp?.find(
    ({ match }) =>
      match === undefined ||
      match.length === 0 ||
      match.some((entry) => canMatch(entry, namespace, client, port) && addressesMatch(entry, addresses)),
  );
}

/** The TLS rules that can apply, with the server names that each takes. @param addresses of the destination, as far as they are known. */
export function selectTlsRules(
  object: VirtualService,
  client: Client,
  port: number,
  addresses: readonly string[],
): readonly { readonly rule: TlsRouteSpec; readonly serverNames: readonly string[] }[] {
  const namespace = object.metadata.namespace ?? '';
  return (object.spec?.tls ?? []).flatMap((rule) => {
    const names = rule.match.flatMap((match) =>
      canMatch(match, namespace, client, port) && addressesMatch(match, addresses)
        ? match.sniHosts.map((name) => name.toLowerCase())
        : [],
    );
    return names.length === 0 ? [] : [{ rule, serverNames: [...new Set(names)] }];
  });
}
