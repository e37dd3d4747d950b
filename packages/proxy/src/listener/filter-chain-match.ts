import type { FilterChain, FilterChainMatch } from '../runtime-config/config.ts';

/** What a connection is matched by. */
export interface ConnectionFacts {
  readonly localPort: number;
  /** Server name of the ClientHello in lower case, empty when none. */
  readonly serverName: string;
  readonly transportProtocol: 'tls' | 'raw_buffer';
  readonly applicationProtocols: readonly string[];
}

/**
 * Envoy's choice: criterion by criterion (port, server name, transport protocol, ALPN) the most specific chains remain;
 * there is no way back to a less specific one when a later criterion fails.
 */
export function matchFilterChain<T extends { readonly config: FilterChain }>(
  chains: readonly T[],
  facts: ConnectionFacts,
): T | undefined {
  let rest = narrow(
    chains,
    ({ destinationPort }) => destinationPort,
    (port) => port === facts.localPort,
  );
  rest = narrowByServerName(rest, facts.serverName);
  rest = narrow(
    rest,
    ({ transportProtocol }) => transportProtocol,
    (protocol) => protocol === facts.transportProtocol,
  );
  const byAlpn = rest.filter(({ config }) =>
    config.match.applicationProtocols.some((protocol) => facts.applicationProtocols.includes(protocol)),
  );
  const [chain] =
    byAlpn.length > 0 ? byAlpn : rest.filter(({ config }) => config.match.applicationProtocols.length === 0);
  return chain;
}

function narrow<T extends { readonly config: FilterChain }, V>(
  chains: readonly T[],
  criterion: (match: FilterChainMatch) => V | undefined,
  matches: (value: V) => boolean,
): readonly T[] {
  const specific = chains.filter(({ config }) => {
    const value = criterion(config.match);
    return value !== undefined && matches(value);
  });
  return specific.length > 0 ? specific : chains.filter(({ config }) => criterion(config.match) === undefined);
}

function narrowByServerName<T extends { readonly config: FilterChain }>(
  chains: readonly T[],
  serverName: string,
): readonly T[] {
  if (serverName !== '') {
    let wanted = serverName;
    for (;;) {
      const named = chains.filter(({ config }) =>
        config.match.serverNames.some((name) => name.toLowerCase() === wanted),
      );
      if (named.length > 0) {
        return named;
      }
      const dot = wanted.indexOf('.', wanted.startsWith('*.') ? 2 : 0);
      if (dot < 0) {
        break;
      }
      wanted = `*${wanted.slice(dot)}`;
    }
  }
  return chains.filter(({ config }) => config.match.serverNames.length === 0);
}
