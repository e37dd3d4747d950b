import { Http2Counters } from '@weft/http-codec';
import { EndpointCounters } from '../endpoint/endpoint.ts';
import { HealthCheckCounters } from '../health-check/health-check-counters.ts';
import { BalancerCounters } from '../load-balancer/priority-set.ts';
import { OutlierCounters } from '../outlier-detection/outlier-counters.ts';

/** What was counted for a cluster's name; outlives changes of its configuration. */
export class ClusterCounters {
  requestsTotal = 0;
  requestsActive = 0;
  requestsPending = 0;
  requestsPendingOverflow = 0;
  requestTimeouts = 0;
  perTryTimeouts = 0;
  perTryIdleTimeouts = 0;
  retries = 0;
  retriesBackOffExponential = 0;
  retriesBackOffRateLimited = 0;
  retrySuccess = 0;
  retryOverflow = 0;
  retryLimitExceeded = 0;
  connectionsTotal = 0;
  connectionsActive = 0;
  /** Of `connectionsTotal`, those that speak HTTP, … */
  httpConnectionsTotal = 0;
  /** … and HTTP/2. */
  http2ConnectionsTotal = 0;
  connectFailures = 0;
  connectTimeouts = 0;
  connectionOverflow = 0;
  readonly balancer: BalancerCounters = new BalancerCounters();
  readonly outliers: OutlierCounters = new OutlierCounters();
  readonly healthChecks: HealthCheckCounters = new HealthCheckCounters();
  readonly http2: Http2Counters = new Http2Counters();
  readonly #endpoints = new Map<string, EndpointCounters>();

  /** The counters of an address, made when there are none. */
  endpoint(address: string): EndpointCounters {
    let counters = this.#endpoints.get(address);
    if (counters === undefined) {
      counters = new EndpointCounters();
      this.#endpoints.set(address, counters);
    }
    return counters;
  }

  /** Forgets the addresses that are not in `current`. */
  keepEndpoints(current: ReadonlySet<string>): void {
    for (const address of this.#endpoints.keys()) {
      if (!current.has(address)) {
        this.#endpoints.delete(address);
      }
    }
  }
}
