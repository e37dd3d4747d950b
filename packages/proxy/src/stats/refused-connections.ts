import type { Clock, Logger } from '@weft/base';
import type { AccessLogConfig, ListenerConfig } from '../runtime-config/config.ts';
import type { ConnectionRecord } from '../stream-info.ts';
import { type Exposition, formatLabels } from './exposition.ts';

/** One line about refusals of one kind in this time; the others of it are counted in the next line. */
const LOG_INTERVAL_MS = 10_000;

interface Refusals {
  readonly listener: string;
  readonly reason: string;
  count: number;
  loggedMs: number;
  /** Since the last line. */
  silent: number;
}

/**
 * Client connections that ended before a filter got them: no chain for them, a handshake that failed, a client that says nothing
 * or the wrong thing. They are counted by listener and reason (a closed set), and the log names some of them.
 */
export class RefusedConnections {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #refusals = new Map<string, Refusals>();

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
  }

  record(record: ConnectionRecord, listener: ListenerConfig): void {
    const reason = record.connectionTerminationDetails;
    const key = `${reason} ${listener.name}`;
    const nowMs = this.#clock.monotonicMs();
    let refusals = this.#refusals.get(key);
    if (refusals === undefined) {
      refusals = { listener: listener.name, reason, count: 0, loggedMs: nowMs - LOG_INTERVAL_MS, silent: 0 };
      this.#refusals.set(key, refusals);
    }
    refusals.count += 1;
    if (nowMs - refusals.loggedMs < LOG_INTERVAL_MS) {
      refusals.silent += 1;
      return;
    }
    const { silent } = refusals;
    refusals.loggedMs = nowMs;
    refusals.silent = 0;
    this.#logger.info('a connection was refused', {
      listener: listener.name,
      reason,
      remoteAddress: record.downstream.remoteAddress,
      serverName: record.downstream.requestedServerName,
      transportFailure: record.downstreamTransportFailureReason ?? '',
      ...(silent === 0 ? {} : { othersSinceTheLastLine: silent }),
    });
  }

  write(out: Exposition): void {
    const name = 'weft_listener_refused_connections_total';
    out.family(name, 'counter', 'Connections that ended before a filter got them.');
    for (const { listener, reason, count } of this.#refusals.values()) {
      out.sample(
        name,
        formatLabels([
          ['listener', listener],
          ['reason', reason],
        ]),
        count,
      );
    }
  }
}

const logsByListener = new WeakMap<ListenerConfig, readonly AccessLogConfig[]>();

/** The access logs of a listener's filters, each once: what never got to one of them is logged there as a connection. */
export function accessLogsOf(listener: ListenerConfig): readonly AccessLogConfig[] {
  let logs = logsByListener.get(listener);
  if (logs === undefined) {
    const distinct = new Map<string, AccessLogConfig>();
    for (const chain of [...listener.filterChains, listener.defaultFilterChain]) {
      for (const log of chain?.filter.accessLogs ?? []) {
        distinct.set(JSON.stringify(log), log);
      }
    }
    logs = [...distinct.values()];
    logsByListener.set(listener, logs);
  }
  return logs;
}
