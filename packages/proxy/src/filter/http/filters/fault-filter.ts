import { faultAbort } from '../../../local-reply.ts';
import { ResponseFlag } from '../../../response-flag.ts';
import { matchesHeaders } from '../../../route/route-match.ts';
import type { FaultConfig } from '../../../runtime-config/config.ts';
import { FilterStatus, type FilterStatusCode } from '../filter-status.ts';
import type { HttpStream } from '../http-stream.ts';
import { StreamTimer } from '../stream-timer.ts';
import type { HttpFilter } from './http-filter.ts';
import { isEnabled, routeFilterConfig } from './route-filter-config.ts';

/** `envoy.filters.http.fault`: delays requests, answers them with an error, slows down the answers. */
export class FaultFilter implements HttpFilter {
  readonly onResponse = undefined;
  readonly #name: string;
  readonly #disabled: boolean;
  readonly #own: FaultConfig;
  /** Requests that have a fault. */
  #active = 0;

  constructor(name: string, disabled: boolean, own: FaultConfig) {
    this.#name = name;
    this.#disabled = disabled;
    this.#own = own;
  }

  readonly onRequest = (stream: HttpStream): FilterStatusCode => {
    const fault = this.#faultOf(stream);
    if (fault === undefined || !concerns(fault, stream)) {
      return FilterStatus.continue;
    }
    this.#limitRate(stream, fault);
    const delayMs = this.#delayOf(stream, fault);
    if (delayMs === undefined) {
      return this.#abort(stream, fault) ? FilterStatus.replied : FilterStatus.continue;
    }
    stream.manager.counters.fault.delaysInjected += 1;
    stream.info.responseFlags |= ResponseFlag.DI;
    stream.filters.delayedBy = this;
    stream.holdRequest();
    stream.arm(StreamTimer.faultDelay, delayMs);
    return FilterStatus.stop;
  };

  /** The delay of a request is over. */
  continueAfterDelay(stream: HttpStream): void {
    const fault = this.#faultOf(stream);
    if (fault === undefined || !this.#abort(stream, fault)) {
      stream.releaseRequest();
      stream.continueRequest('fault');
    }
  }

  /** A request that had a fault is over. */
  release(stream: HttpStream): void {
    this.#active -= 1;
    stream.manager.counters.fault.active -= 1;
  }

  #faultOf(stream: HttpStream): FaultConfig | undefined {
    const config = routeFilterConfig(stream, this.#name);
    if (!isEnabled(this.#disabled, config)) {
      return undefined;
    }
    return config?.kind === 'fault' ? config.fault : this.#own;
  }

  #delayOf(stream: HttpStream, { delay, maxActiveFaults }: FaultConfig): number | undefined {
    if (delay === undefined || !drawn(stream, delay.fraction, 'x-envoy-fault-delay-request-percentage', delay.kind)) {
      return undefined;
    }
    const ms = delay.kind === 'fixed' ? delay.ms : wholeNumber(stream.head.getFirst('x-envoy-fault-delay-request'));
    return ms !== undefined && ms > 0 && this.#take(stream, maxActiveFaults) ? ms : undefined;
  }

  #abort(stream: HttpStream, { abort, maxActiveFaults }: FaultConfig): boolean {
    if (abort === undefined || !drawn(stream, abort.fraction, 'x-envoy-fault-abort-request-percentage', abort.kind)) {
      return false;
    }
    const status = abortStatus(stream, abort);
    if (status === undefined || !this.#take(stream, maxActiveFaults)) {
      return false;
    }
    stream.manager.counters.fault.abortsInjected += 1;
    stream.reply(faultAbort(status.http, status.grpc));
    return true;
  }

  #limitRate(stream: HttpStream, { responseRateLimit: limit, maxActiveFaults }: FaultConfig): void {
    if (limit === undefined) {
      return;
    }
    const kibPerSecond =
      limit.kind === 'fixed'
        ? limit.kibPerSecond
        : wholeNumber(stream.head.getFirst('x-envoy-fault-throughput-response'));
    if (
      kibPerSecond !== undefined &&
      kibPerSecond > 0 &&
      drawn(stream, limit.fraction, 'x-envoy-fault-throughput-response-percentage', limit.kind) &&
      this.#take(stream, maxActiveFaults)
    ) {
      stream.manager.counters.fault.responsesThrottled += 1;
      stream.response.throttle(kibPerSecond * 1024);
    }
  }

  /** A request counts once, however many faults it has. */
  #take(stream: HttpStream, most: number | undefined): boolean {
    const { fault } = stream.manager.counters;
    if (stream.filters.faults.includes(this)) {
      return true;
    }
    if (most !== undefined && this.#active >= most) {
      fault.overflow += 1;
      return false;
    }
    this.#active += 1;
    fault.active += 1;
    stream.filters.faults.push(this);
    return true;
  }
}

function concerns(fault: FaultConfig, stream: HttpStream): boolean {
  const { head, info } = stream;
  return (
    (fault.upstreamCluster === '' || fault.upstreamCluster === info.clusterName) &&
    (fault.downstreamNodes.size === 0 ||
      fault.downstreamNodes.has(head.get('x-envoy-downstream-service-node') ?? '')) &&
    (fault.headers.length === 0 || matchesHeaders(fault.headers, stream))
  );
}

/** Where the request may control a fault it may also lower its share, in the same parts of a whole. */
function drawn(stream: HttpStream, fraction: number, percentageHeader: string, kind: string): boolean {
  let wanted = fraction;
  if (kind === 'header') {
    const asked = wholeNumber(stream.head.getFirst(percentageHeader));
    wanted = asked === undefined ? fraction : Math.min(fraction, asked * 10_000);
  }
  return wanted >= 1_000_000 || (wanted > 0 && stream.random() * 1_000_000 < wanted);
}

function abortStatus(
  stream: HttpStream,
  abort: NonNullable<FaultConfig['abort']>,
): { readonly http: number; readonly grpc: number | undefined } | undefined {
  switch (abort.kind) {
    case 'http':
      return { http: abort.status, grpc: undefined };
    case 'grpc':
      return { http: 200, grpc: abort.status };
    default: {
      const http = wholeNumber(stream.head.getFirst('x-envoy-fault-abort-request'));
      if (http !== undefined && http >= 200 && http < 600) {
        return { http, grpc: undefined };
      }
      const grpc = wholeNumber(stream.head.getFirst('x-envoy-fault-abort-grpc-request'));
      return grpc === undefined ? undefined : { http: 200, grpc };
    }
  }
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}
