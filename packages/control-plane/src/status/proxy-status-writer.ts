import { isDeepStrictEqual } from 'node:util';
import type { Clock, Logger } from '@weft/base';
import { gvk, type ProxyResource, type ProxyStatus, type ResourceClient } from '@weft/resources';
import type { ClientState, XdsServer } from '@weft/xds-server';
import type { ObservedHosts } from '../mesh/observed-hosts.ts';
import type { Revisions } from '../mesh/revisions.ts';
import type { ProxySessions } from '../proxies/proxy-sessions.ts';
import { shortNameOf, typeNames } from '../proxies/type-names.ts';
import { type TurnResult, WriteQueue } from './write-queue.ts';

export interface ProxyStatusWriterOptions {
  readonly revisions: Revisions;
  readonly sessions: ProxySessions;
  readonly observed: ObservedHosts;
  readonly xds: Pick<XdsServer, 'client'>;
  readonly client: ResourceClient;
  readonly clock: Clock;
  readonly logger: Logger;
  /** At most one write a proxy in this time, milliseconds. Default 1,000. */
  readonly delayMs?: number;
}

type Sync = NonNullable<ProxyStatus['sync']>;
type LastNack = NonNullable<ProxyStatus['lastNack']>;

const maxNackMessage = 2_000;
const maxNackNames = 20;

/** Keeps `Proxy.status`: what the control plane knows of each proxy, written when it has changed and settled. */
export class ProxyStatusWriter {
  readonly #options: ProxyStatusWriterOptions;
  readonly #queue: WriteQueue;
  #enabled = false;

  constructor(options: ProxyStatusWriterOptions) {
    this.#options = options;
    this.#queue = new WriteQueue({
      clock: options.clock,
      logger: options.logger,
      what: 'status of a proxy',
      run: (key) => this.#write(key),
    });
  }

  start(proxyKeys: Iterable<string>): void {
    this.#enabled = true;
    for (const key of proxyKeys) {
      this.changed(key);
    }
  }

  /** @param delayMs shorter than usual, for what should not be lost. */
  changed(proxyKey: string, delayMs?: number): void {
    if (this.#enabled) {
      this.#queue.mark(proxyKey, delayMs ?? this.#options.delayMs ?? 1_000);
    }
  }

  close(): void {
    this.#enabled = false;
    this.#queue.close();
  }

  async #write(proxyKey: string): Promise<TurnResult> {
    const { revisions, sessions, observed, xds, client, clock } = this.#options;
    const [namespace = '', name = ''] = proxyKey.split('/');
    const tracked = revisions.get(`weft.dev/Proxy/${namespace}/${name}`);
    if (tracked === undefined) {
      return undefined;
    }
    const stored = (tracked.object as ProxyResource).status ?? {};
    const connection = sessions.isConnected(proxyKey) ? xds.client(proxyKey) : undefined;
    // A proxy that has not come back after a start is not called away before its grace period is over.
    if (connection === undefined && sessions.isExpected(proxyKey)) {
      return undefined;
    }
    const observedUpstreams = observed.persistent(proxyKey).map(({ host, port, lastUsed }) => ({
      host,
      port,
      lastUsed: timestamp(lastUsed),
    }));
    const wanted = {
      connected: connection !== undefined,
      ...(connection === undefined ? {} : connectedStatus(connection)),
      ...(observedUpstreams.length === 0 ? {} : { observedUpstreams }),
    };
    const old = Object.fromEntries(Object.keys(wanted).map((key) => [key, stored[key as keyof typeof stored]]));
    if (isDeepStrictEqual(JSON.parse(JSON.stringify(old)), JSON.parse(JSON.stringify(wanted)))) {
      return undefined;
    }
    const status = { ...wanted, lastSeen: timestamp(sessions.awaySince(proxyKey) ?? clock.now()) };
    await client.patch(gvk.proxy, name, namespace, { status }, { subresource: 'status' });
    return undefined;
  }
}

function connectedStatus(client: ClientState): Pick<ProxyStatus, 'identity' | 'version' | 'sync' | 'lastNack'> {
  const sync: Sync = typeNames.flatMap(([type, typeUrl]) => {
    const state = client.types.get(typeUrl);
    return state === undefined
      ? []
      : [
          {
            type,
            state: state.status,
            ...(state.refused.length === 0 ? {} : { resources: state.refused.map(({ name }) => name) }),
            ...(state.ackedVersion === '' ? {} : { version: state.ackedVersion }),
          },
        ];
  });
  const lastNack = newestNack(client);
  const identity = client.peer?.spiffeIds[0];
  const { userAgentVersion } = client.node;
  return {
    ...(identity === undefined ? {} : { identity }),
    ...(userAgentVersion === '' ? {} : { version: userAgentVersion }),
    sync,
    ...(lastNack === undefined ? {} : { lastNack }),
  };
}

function newestNack(client: ClientState): LastNack | undefined {
  let newest: { readonly atMs: number; readonly nack: LastNack } | undefined;
  for (const [typeUrl, state] of client.types) {
    const type = shortNameOf(typeUrl);
    if (
      type !== undefined &&
      state.lastNack !== undefined &&
      (newest === undefined || state.lastNack.atMs > newest.atMs)
    ) {
      const { atMs, message, resources } = state.lastNack;
      newest = {
        atMs,
        nack: {
          type,
          resources: resources.slice(0, maxNackNames),
          message: message.slice(0, maxNackMessage),
          time: timestamp(atMs),
        },
      };
    }
  }
  return newest?.nack;
}

function timestamp(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
