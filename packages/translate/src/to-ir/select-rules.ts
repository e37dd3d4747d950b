import {
  type HttpMatchSpec,
  type HttpRouteSpec,
  mesh,
  type SourceMatchSpec,
  type TcpRouteSpec,
  type VirtualService,
} from '../kinds.ts';
import { selects } from '../match.ts';
import type { Client, MeshState } from '../state/mesh-state.ts';

/** A rule of a VirtualService that can apply, with those of its matches that can. */
export interface SelectedHttpRule {
  readonly rule: HttpRouteSpec;
  /** Of the rule in `spec.http`. */
  readonly index: number;
  /** undefined: the rule has no conditions. */
  readonly matches: readonly HttpMatchSpec[] | undefined;
}

/** Whether what a match says about the source and the port can be true for requests of `client` to `port`. */
function canMatch(match: SourceMatchSpec, client: Client, port: number): boolean {
  return (
    (match.port === undefined || match.port === port) &&
    (match.gateways === undefined || match.gateways.length === 0 || match.gateways.includes(mesh)) &&
    (match.sourceNamespace === undefined ||
      match.sourceNamespace === '' ||
      match.sourceNamespace === client.namespace) &&
    selects(match.sourceLabels, client.labels)
  );
}

/** The HTTP rules that can apply to requests of `client` to `port`; the same array for all clients for which it is the same. */
export function selectHttpRules(
  state: MeshState,
  object: VirtualService,
  client: Client,
  port: number,
): readonly SelectedHttpRule[] {
  let mask = '';
  for (const rule of object.spec?.http ?? []) {
    for (const match of rule.match ?? []) {
      mask += canMatch(match, client, port) ? '1' : '0';
    }
  }
  const key = `rules|${object.metadata.namespace}/${object.metadata.name}|${mask}`;
  return state.memo.get(key, [object, mask] as const, ([virtualService, bits]) => {
    let bit = 0;
    const selected: SelectedHttpRule[] = [];
    for (const [index, rule] of (virtualService.spec?.http ?? []).entries()) {
      const all = rule.match ?? [];
      const matches = all.filter((_, offset) => bits[bit + offset] === '1');
      bit += all.length;
      if (all.length === 0) {
        selected.push({ rule, index, matches: undefined });
      } else if (matches.length > 0) {
        selected.push({ rule, index, matches });
      }
    }
    return selected;
  });
}

/** The first TCP rule that applies; only port and source can be matched. */
export function selectTcpRule(object: VirtualService, client: Client, port: number): TcpRouteSpec | undefined {
  return object.spec?.tcp?.find(
    ({ match }) => match === undefined || match.length === 0 || match.some((entry) => canMatch(entry, client, port)),
  );
}
