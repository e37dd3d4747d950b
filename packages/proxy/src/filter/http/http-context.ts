import type { Clock } from '@weft/base';
import { Http2Counters } from '@weft/http-codec';
import type { ClusterManager } from '../../cluster/cluster-manager.ts';
import type { VirtualHostAnswer } from '../../data-plane.ts';
import type { ProtocolsSeen } from '../../load-report/protocols-seen.ts';
import type { OverloadState } from '../../overload/overload-state.ts';
import type { CompiledRouteTable } from '../../route/route-table.ts';
import type { HttpConnectionManagerConfig, ListenerConfig } from '../../runtime-config/config.ts';
import type { StreamInfo } from '../../stream-info.ts';
import type { TimerWheel } from '../../transport/timer-wheel.ts';

/** What the connection managers of one `stat_prefix` have seen. */
export class ManagerCounters {
  http1ConnectionsTotal = 0;
  http2ConnectionsTotal = 0;
  /** Requests that came by HTTP/1.0 and 1.1. */
  http1RequestsTotal = 0;
  http2RequestsTotal = 0;
  /** Requests that lived longer than they may. */
  maxDurationReached = 0;
  /** Of the fault filter; `active` goes both ways. */
  readonly fault: {
    delaysInjected: number;
    abortsInjected: number;
    responsesThrottled: number;
    overflow: number;
    active: number;
  } = { delaysInjected: 0, abortsInjected: 0, responsesThrottled: 0, overflow: 0, active: 0 };
  /** Copies of requests: all, those that got no good answer, those given up because they were slower than the request. */
  readonly mirror: { started: number; failed: number; dropped: number } = { started: 0, failed: 0, dropped: 0 };
  /** Of the CORS filter. */
  readonly cors: { originValid: number; originInvalid: number } = { originValid: 0, originInvalid: 0 };
}

/** What is counted of client connections; outlives changes of the configuration. */
export class DownstreamCounters {
  /** Of all HTTP/2 connections together, as Envoy does. */
  readonly http2: Http2Counters = new Http2Counters();
  readonly #managers = new Map<string, ManagerCounters>();

  /** By `stat_prefix`: as many as the configuration ever had. */
  get managers(): ReadonlyMap<string, ManagerCounters> {
    return this.#managers;
  }

  manager(statPrefix: string): ManagerCounters {
    let counters = this.#managers.get(statPrefix);
    if (counters === undefined) {
      counters = new ManagerCounters();
      this.#managers.set(statPrefix, counters);
    }
    return counters;
  }
}

/** What HTTP connections and streams need of the data plane. */
export interface HttpContext {
  readonly clock: Clock;
  readonly random: () => number;
  readonly wheel: TimerWheel;
  readonly clusters: ClusterManager;
  readonly overload: OverloadState;
  readonly counters: DownstreamCounters;
  readonly protocols: ProtocolsSeen;
  /** `node.cluster`, empty when there is none. */
  readonly nodeCluster: string;
  /** This proxy drains: it is to get no more requests. */
  localHealthFailed(): boolean;
  /** The current table of that name, undefined when there is none. */
  routeTable(name: string): CompiledRouteTable | undefined;
  /** Asks for an unknown virtual host; resolves when it is known, or known not to exist. Never rejects. */
  requestVirtualHost(routeConfigName: string, authority: string): Promise<VirtualHostAnswer>;
  onStreamEnd(info: StreamInfo, listener: ListenerConfig, manager: HttpConnectionManagerConfig): void;
}

/** `Date` values (RFC 9110 §6.6.1), made once a second. */
export class DateText {
  #second = -1;
  #text = '';

  at(nowMs: number): string {
    const second = Math.floor(nowMs / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#text = new Date(second * 1000).toUTCString();
    }
    return this.#text;
  }
}
