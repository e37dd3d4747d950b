import type { Cluster } from '../../cluster/cluster.ts';
import type { Endpoint } from '../../endpoint/endpoint.ts';
import type { Hash64 } from '../../load-balancer/hash64.ts';
import type { PickContext } from '../../load-balancer/pick-context.ts';
import type { RetryPriority } from '../../load-balancer/retry-priority.ts';
import type { HashPolicy } from '../../runtime-config/load-balancing.ts';
import type { SubsetCriteria } from '../../runtime-config/subsets.ts';
import type { HttpStream } from './http-stream.ts';
import { type HashSubject, hashRequest } from './request-hash.ts';

const noPolicies: readonly HashPolicy[] = [];

/** How one request chooses among the endpoints of its cluster. A stream has one and uses the object again. */
export class EndpointChoice implements PickContext<Endpoint> {
  readonly #hash: Hash64 = { hi: 0, lo: 0 };
  #hashed: 'not-yet' | 'none' | 'hashed' = 'not-yet';
  #tried: readonly Endpoint[] = [];
  /** The response is to tell the client of its endpoint, … */
  isSession = false;
  /** … unless that is the one that the request named; empty: it named none. */
  sessionAddress = '';
  /** Address of the endpoint that the next try goes to if it can, empty when there is none. */
  overrideAddress = '';
  isOverrideStrict = false;
  hostSelectionRetries = 0;
  retryPriority: RetryPriority<Endpoint> | undefined = undefined;
  subset: SubsetCriteria | undefined = undefined;
  destination = '';
  /** Values of `set-cookie` for the response of an upstream. */
  readonly setCookies: string[] = [];

  get hash(): Hash64 | undefined {
    return this.#hashed === 'hashed' ? this.#hash : undefined;
  }

  /** The endpoint for the next try, undefined when there is none. */
  pick(stream: HttpStream, cluster: Cluster): Endpoint | undefined {
    const { retries, info } = stream;
    const { policy, triedEndpoints } = retries;
    if (cluster.usesHashes && this.#hashed === 'not-yet') {
      this.#computeHash(stream, cluster);
    }
    const avoids = policy?.avoidPreviousHosts === true && triedEndpoints.length > 0;
    this.subset = stream.choice?.config.subset;
    const { destinationHeader } = cluster;
    if (destinationHeader !== '') {
      const { head } = stream;
      this.destination = (destinationHeader === ':authority' ? head.authority : head.getFirst(destinationHeader)) ?? '';
    }
    this.#tried = triedEndpoints;
    this.hostSelectionRetries = avoids ? policy.hostSelectionRetryMaxAttempts : 0;
    if (info.attemptCount > 0) {
      this.retryPriority = retries.priority;
      // A session's endpoint that has just failed is not asked again.
      this.overrideAddress = '';
    }
    return cluster.pick(this);
  }

  shouldSkip(endpoint: Endpoint): boolean {
    return this.#tried.includes(endpoint);
  }

  reset(): void {
    this.#hashed = 'not-yet';
    this.#tried = [];
    this.isSession = false;
    this.sessionAddress = '';
    this.overrideAddress = '';
    this.isOverrideStrict = false;
    this.hostSelectionRetries = 0;
    this.retryPriority = undefined;
    this.subset = undefined;
    this.destination = '';
    this.setCookies.length = 0;
  }

  #computeHash(stream: HttpStream, cluster: Cluster): void {
    const own = cluster.hashPolicies;
    const policies = own.length > 0 ? own : (stream.route?.forward?.hashPolicies ?? noPolicies);
    this.#hashed = policies.length > 0 && hashRequest(policies, subjectOf(stream), this.#hash) ? 'hashed' : 'none';
  }
}

function subjectOf(stream: HttpStream): HashSubject {
  const { head, info, connection } = stream;
  return {
    head,
    remoteIp: info.downstreamRemoteIp,
    remoteAddress: connection.info.remoteAddress,
    localAddress: connection.info.localAddress,
    onCookie: (setCookie) => stream.endpointChoice.setCookies.push(setCookie),
  };
}
