import type { ConfigDump, Nack, ProxyDetail, ProxySummary, SyncState, TypeShortName, TypeSync } from '@weft/admin-api';
import type { ProxyResource } from '@weft/resources';
import type { MeshState } from '@weft/translate';
import type { ClientState, Snapshot, XdsServer } from '@weft/xds-server';
import type { ObservedHosts } from '../mesh/observed-hosts.ts';
import type { Publisher } from '../mesh/publisher.ts';
import type { Revisions } from '../mesh/revisions.ts';
import { identityOfProxy } from '../proxies/authorize.ts';
import type { ProxySessions } from '../proxies/proxy-sessions.ts';
import { shortNameOf, typeNames } from '../proxies/type-names.ts';
import { printableResource } from './printable.ts';

export interface ProxySources {
  readonly state: MeshState;
  readonly trustDomain: string;
  readonly xds: Pick<XdsServer, 'client'>;
  readonly publisher: Publisher;
  readonly sessions: ProxySessions;
  readonly observed: ObservedHosts;
  readonly revisions: Revisions;
}

export function summarizeProxy(sources: ProxySources, proxyKey: string): ProxySummary | undefined {
  const { state, trustDomain, sessions, xds, revisions } = sources;
  const identity = identityOfProxy(state, proxyKey, trustDomain);
  if (identity === undefined) {
    return undefined;
  }
  const [namespace = '', name = ''] = proxyKey.split('/');
  const object = revisions.get(`weft.dev/Proxy/${namespace}/${name}`)?.object as ProxyResource | undefined;
  const client = sessions.isConnected(proxyKey) ? xds.client(proxyKey) : undefined;
  const sync = client === undefined ? [] : syncOf(client);
  const memory = client === undefined ? undefined : sessions.memoryBytes(proxyKey);
  const lastNack = client === undefined ? storedNack(object) : nackOf(client);
  const lastSeen = client === undefined ? object?.status?.lastSeen : new Date().toISOString();
  return {
    namespace,
    name,
    identity,
    engine: object?.spec.engine ?? 'weft',
    version: client?.node.userAgentVersion ?? object?.status?.version ?? '',
    connected: client !== undefined,
    ...(lastSeen === undefined ? {} : { lastSeen }),
    sync,
    state: client === undefined ? 'NOT_SENT' : worst(sync),
    ...(lastNack === undefined ? {} : { lastNack }),
    ...(memory === undefined ? {} : { memoryBytes: memory }),
  };
}

export function detailProxy(sources: ProxySources, proxyKey: string): ProxyDetail | undefined {
  const summary = summarizeProxy(sources, proxyKey);
  if (summary === undefined) {
    return undefined;
  }
  const client = sources.xds.client(proxyKey);
  return {
    ...summary,
    observedHosts: sources.observed.authorities(proxyKey),
    storeVersion: client?.storeVersion ?? null,
    ackedStoreVersion: client?.ackedStoreVersion ?? null,
  };
}

/** What the control plane wants the proxy to have; empty types while it is not connected. */
export function dumpProxy(
  sources: ProxySources,
  proxyKey: string,
  filter: { readonly type?: string; readonly name?: string },
): ConfigDump | undefined {
  const summary = summarizeProxy(sources, proxyKey);
  if (summary === undefined) {
    return undefined;
  }
  const snapshot: Snapshot | undefined = sources.publisher.publication(proxyKey)?.snapshot;
  const wanted = filter.type?.toUpperCase();
  return {
    proxy: { namespace: summary.namespace, name: summary.name },
    storeVersion: snapshot?.storeVersion ?? null,
    types: typeNames
      .filter(([type]) => wanted === undefined || wanted === type)
      .map(([type, typeUrl]) => ({
        type,
        typeUrl,
        state: summary.sync.find((sync) => sync.type === type)?.state ?? 'NOT_SENT',
        resources: [...(snapshot?.resources.get(typeUrl)?.values() ?? [])]
          .filter(({ name }) => filter.name === undefined || name === filter.name)
          .sort((a, b) => (a.name < b.name ? -1 : 1))
          .map(({ name, version, value }) => ({ name, version, resource: printableResource(typeUrl, value) })),
      })),
  };
}

function syncOf(client: ClientState): TypeSync[] {
  return typeNames.flatMap(([type, typeUrl]) => {
    const state = client.types.get(typeUrl);
    return state === undefined
      ? []
      : [
          {
            type,
            state: state.status,
            resources: state.resourceCount,
            refused: state.refused.map(({ name }) => name),
            ackedVersion: state.ackedVersion,
          },
        ];
  });
}

function worst(sync: readonly TypeSync[]): SyncState {
  const order: readonly SyncState[] = ['NACKED', 'STALE', 'SYNCED', 'NOT_SENT'];
  return order.find((state) => sync.some((type) => type.state === state)) ?? 'NOT_SENT';
}

function nackOf(client: ClientState): Nack | undefined {
  let newest: (Nack & { readonly atMs: number }) | undefined;
  for (const [typeUrl, { lastNack }] of client.types) {
    const type = shortNameOf(typeUrl);
    if (type !== undefined && lastNack !== undefined && (newest === undefined || lastNack.atMs > newest.atMs)) {
      newest = { type, ...lastNack, at: new Date(lastNack.atMs).toISOString() };
    }
  }
  return newest === undefined
    ? undefined
    : { type: newest.type, resources: newest.resources, message: newest.message, at: newest.at };
}

function storedNack(object: ProxyResource | undefined): Nack | undefined {
  const stored = object?.status?.lastNack;
  return stored === undefined
    ? undefined
    : {
        type: stored.type as TypeShortName,
        resources: stored.resources ?? [],
        message: stored.message,
        at: stored.time,
      };
}
