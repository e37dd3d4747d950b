import type { RequestHead, ResponseHead } from '@weft/http-codec';
import { matchesString } from '../route/string-match.ts';
import type { HttpHealthCheck, StatusRange } from '../runtime-config/health-check.ts';
import { addFields, checkUserAgent, type Exchange, type Verdict } from './exchange.ts';
import { matchesPayload } from './payload-match.ts';
import type { CheckTarget } from './probe.ts';

/** A request as the check has it; statuses, the name of the service and the body tell. */
export class HttpExchange implements Exchange {
  readonly http2: boolean;
  isExcluded = false;
  readonly #check: HttpHealthCheck;
  readonly #target: CheckTarget;
  #status = 0;
  #degraded = false;
  #serviceName = '';
  #body: Buffer = Buffer.alloc(0);

  constructor(check: HttpHealthCheck, target: CheckTarget) {
    this.http2 = check.http2;
    this.#check = check;
    this.#target = target;
  }

  ask(head: RequestHead): Buffer {
    const { method, path, host, headersToAdd, headersToRemove } = this.#check;
    const { hostname, clusterName } = this.#target;
    this.#body = Buffer.alloc(0);
    head.setMethod(method);
    head.setPath(path);
    head.setAuthority(hostname !== '' ? hostname : host !== '' ? host : clusterName);
    head.add('user-agent', checkUserAgent);
    addFields(head, headersToAdd);
    for (const name of headersToRemove) {
      head.remove(name);
    }
    return this.#body;
  }

  onHead(head: ResponseHead): void {
    this.#status = head.status;
    this.#degraded = head.has('x-envoy-degraded');
    this.isExcluded = head.has('x-envoy-immediate-health-check-fail');
    this.#serviceName = head.get('x-envoy-upstream-healthchecked-cluster') ?? '';
  }

  onData(bytes: Buffer, start: number, end: number): void {
    const { receive, searchedBytes } = this.#check;
    const room = searchedBytes - this.#body.length;
    if (receive.length > 0 && room > 0) {
      this.#body = Buffer.concat([this.#body, bytes.subarray(start, Math.min(end, start + room))]);
    }
  }

  judge(): Verdict {
    const { expectedStatuses, retriableStatuses, receive, serviceName } = this.#check;
    if (!isWithin(expectedStatuses, this.#status)) {
      return isWithin(retriableStatuses, this.#status) ? 'retriable' : 'refused';
    }
    this.isExcluded = false;
    if (receive.length > 0 && !matchesPayload(this.#body, receive)) {
      return 'refused';
    }
    if (serviceName !== undefined) {
      this.#target.counters.verifyCluster += 1;
      if (!matchesString(serviceName, this.#serviceName)) {
        return 'refused';
      }
    }
    return this.#degraded ? 'degraded' : 'passed';
  }
}

function isWithin(ranges: readonly StatusRange[], status: number): boolean {
  return ranges.some(({ start, end }) => status >= start && status < end);
}
