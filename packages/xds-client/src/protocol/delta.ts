import type { TypeUrl } from '@weft/xds-types';
import type { Node } from '@weft/xds-types/envoy/config/core/v3/base.ts';
import { DeltaDiscoveryRequest, DeltaDiscoveryResponse } from '@weft/xds-types/envoy/service/discovery/v3/discovery.ts';
import { millisecondsOf } from './duration.ts';
import { errorStatus } from './error-status.ts';
import type { DiscoveryProtocol, ReceivedResponse, TypeInterest } from './protocol.ts';

/** Incremental xDS: names come and go, versions are per resource, and a new stream resumes from what we hold. */
export class DeltaProtocol implements DiscoveryProtocol {
  readonly #write: (message: Uint8Array) => void;
  #node: Node | undefined;
  /** Names the server knows of, by type; a type that is absent was not asked for on this stream. */
  readonly #asked = new Map<TypeUrl, Set<string>>();

  /** @param node goes into the first request. */
  constructor(node: Node, write: (message: Uint8Array) => void) {
    this.#node = node;
    this.#write = write;
  }

  subscribe(interest: TypeInterest): void {
    const asked = this.#asked.get(interest.typeUrl);
    if (asked === undefined) {
      this.#subscribeFirst(interest);
      return;
    }
    const subscribe = [...interest.names].filter((name) => !asked.has(name));
    const unsubscribe = [...asked].filter((name) => !interest.names.has(name));
    if (subscribe.length > 0 || unsubscribe.length > 0) {
      this.#asked.set(interest.typeUrl, new Set(interest.names));
      this.#request(interest.typeUrl, {
        resourceNamesSubscribe: subscribe,
        resourceNamesUnsubscribe: unsubscribe,
      });
    }
  }

  /** All names of interest and the versions of what we hold: the server remembers nothing of older streams. */
  #subscribeFirst(interest: TypeInterest): void {
    if (!interest.alwaysWildcard && interest.names.size === 0) {
      return;
    }
    this.#asked.set(interest.typeUrl, new Set(interest.names));
    const names = [...interest.names];
    // Nothing but a wildcard is said by naming nothing: every server knows this form.
    const onlyWildcard = names.every((name) => name === '*');
    const wildcard = interest.alwaysWildcard && !interest.names.has('*') ? ['*'] : [];
    this.#request(interest.typeUrl, {
      resourceNamesSubscribe: onlyWildcard ? [] : [...wildcard, ...names],
      initialResourceVersions: Object.fromEntries(interest.versions()),
    });
  }

  read(message: Uint8Array): ReceivedResponse {
    const response = DeltaDiscoveryResponse.decode(message);
    return {
      typeUrl: response.typeUrl as TypeUrl,
      nonce: response.nonce,
      version: response.systemVersionInfo,
      removed: response.removedResources,
      fullState: false,
      resources: response.resources.map((resource) => ({
        name: resource.name,
        version: resource.version,
        aliases: resource.aliases,
        ttlMs: resource.ttl === undefined ? undefined : millisecondsOf(resource.ttl),
        body: resource.resource,
      })),
    };
  }

  answer(response: ReceivedResponse, _interest: TypeInterest, error: string | undefined): void {
    this.#request(response.typeUrl, { responseNonce: response.nonce, errorDetail: errorStatus(error) });
  }

  #request(typeUrl: TypeUrl, fields: Partial<DeltaDiscoveryRequest>): void {
    const request: DeltaDiscoveryRequest = {
      node: this.#node,
      typeUrl,
      resourceNamesSubscribe: [],
      resourceNamesUnsubscribe: [],
      resourceLocatorsSubscribe: [],
      resourceLocatorsUnsubscribe: [],
      initialResourceVersions: {},
      responseNonce: '',
      errorDetail: undefined,
      ...fields,
    };
    this.#node = undefined;
    this.#write(DeltaDiscoveryRequest.encode(request).finish());
  }
}
