import type { OriginRef } from '@weft/ir';
import type { VirtualService } from '../kinds.ts';
import type { Client } from '../state/mesh-state.ts';
import { covers } from '../to-ir/gateway-api/hostname.ts';
import { selectTcpRule, selectTlsRules } from '../to-ir/select-rules.ts';
import { originText } from './effective.ts';
import type { Walk } from './request-walk.ts';

/** Connections of a client to a port. */
export interface Connections {
  readonly client: Client;
  readonly port: number;
  /** Of the destination, as far as they are known. */
  readonly addresses: readonly string[];
}

/**
 * Where the rule stands that sends connections on.
 * @param origins of what was found: one of its objects has the rule.
 * @param serverName of TLS; undefined: the rule for all connections.
 * @returns undefined: none of them has one.
 */
export function tcpRuleOrigin(
  { state }: Walk,
  origins: readonly OriginRef[],
  connections: Connections,
  serverName: string | undefined,
): string | undefined {
  for (const { kind, namespace, name } of origins) {
    if (kind === 'TCPRoute' || kind === 'TLSRoute') {
      return `${kind} ${namespace}/${name} spec.rules[0]`;
    }
    const object =
      kind === 'VirtualService'
        ? state.object('networking.istio.io/VirtualService', `${namespace}/${name}`)
        : undefined;
    const path = object && ruleOf(object, connections, serverName);
    if (object !== undefined && path !== undefined) {
      return originText(object, path);
    }
  }
  return undefined;
}

function ruleOf(
  object: VirtualService,
  { client, port, addresses }: Connections,
  serverName: string | undefined,
): string | undefined {
  if (serverName === undefined) {
    const rule = selectTcpRule(object, client, port, addresses);
    return rule && `spec.tcp[${object.spec?.tcp?.indexOf(rule)}]`;
  }
  const found = selectTlsRules(object, client, port, addresses).find(({ serverNames }) =>
    serverNames.some((name) => covers(name, serverName)),
  );
  return found && `spec.tls[${object.spec?.tls?.indexOf(found.rule)}]`;
}
