import { createHash } from 'node:crypto';
import { type TypeUrl, typeUrlOf, typeUrls } from '@weft/xds-types';
import type { Node } from '@weft/xds-types/envoy/config/core/v3/base.ts';
import { DiscoveryRequest, DiscoveryResponse, Resource } from '@weft/xds-types/envoy/service/discovery/v3/discovery.ts';
import type { Any } from '@weft/xds-types/google/protobuf/any.ts';
import { millisecondsOf } from './duration.ts';
import { errorStatus } from './error-status.ts';
import type { DiscoveryProtocol, ReceivedResource, ReceivedResponse, TypeInterest } from './protocol.ts';

const wrapperTypeUrl = typeUrlOf('envoy.service.discovery.v3.Resource');
const wrappedResourcesFeature = 'xds.config.supports-resource-in-sotw';

/** What survives a stream: the version of each type that was accepted last. */
export type AcceptedVersions = Map<TypeUrl, string>;

interface Asked {
  readonly names: ReadonlySet<string>;
  readonly nonce: string;
}

/** State-of-the-world xDS, for servers without delta: each request lists all names. */
export class SotwProtocol implements DiscoveryProtocol {
  readonly #write: (message: Uint8Array) => void;
  readonly #accepted: AcceptedVersions;
  readonly #asked = new Map<TypeUrl, Asked>();
  #node: Node | undefined;

  constructor(node: Node, accepted: AcceptedVersions, write: (message: Uint8Array) => void) {
    this.#node = { ...node, clientFeatures: [...node.clientFeatures, wrappedResourcesFeature] };
    this.#accepted = accepted;
    this.#write = write;
  }

  subscribe(interest: TypeInterest): void {
    const asked = this.#asked.get(interest.typeUrl);
    const wanted = interest.alwaysWildcard || interest.names.size > 0;
    if (asked === undefined ? wanted : !sameNames(asked.names, interest.names)) {
      this.#request(interest, asked?.nonce ?? '', undefined);
    }
  }

  read(message: Uint8Array): ReceivedResponse {
    const response = DiscoveryResponse.decode(message);
    const typeUrl = response.typeUrl as TypeUrl;
    return {
      typeUrl,
      nonce: response.nonce,
      version: response.versionInfo,
      resources: response.resources.map((any) => receivedFrom(any)),
      removed: [],
      fullState: typeUrl === typeUrls.listener || typeUrl === typeUrls.cluster,
    };
  }

  answer(response: ReceivedResponse, interest: TypeInterest, error: string | undefined): void {
    if (error === undefined) {
      this.#accepted.set(response.typeUrl, response.version);
    }
    this.#request({ ...interest, typeUrl: response.typeUrl }, response.nonce, error);
  }

  #request(interest: TypeInterest, nonce: string, error: string | undefined): void {
    this.#asked.set(interest.typeUrl, { names: new Set(interest.names), nonce });
    const request: DiscoveryRequest = {
      versionInfo: this.#accepted.get(interest.typeUrl) ?? '',
      node: this.#node,
      resourceNames: [...interest.names],
      resourceLocators: [],
      typeUrl: interest.typeUrl,
      responseNonce: nonce,
      errorDetail: errorStatus(error),
    };
    this.#node = undefined;
    this.#write(DiscoveryRequest.encode(request).finish());
  }
}

function receivedFrom(any: Any): ReceivedResource {
  if (any.typeUrl !== wrapperTypeUrl) {
    return { name: undefined, version: contentVersion(any.value), aliases: [], ttlMs: undefined, body: any };
  }
  const resource = Resource.decode(any.value);
  return {
    name: resource.name,
    version: resource.version,
    aliases: resource.aliases,
    ttlMs: resource.ttl === undefined ? undefined : millisecondsOf(resource.ttl),
    body: resource.resource,
  };
}

/**
 * The version of the response changes whenever any resource of the type does; a version by content lets those that did not
 * change stay as they are.
 */
function contentVersion(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64url').slice(0, 16);
}

function sameNames(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && a.isSubsetOf(b);
}
