import type { Client } from '@grpc/grpc-js';
import { type TypeUrl, typeUrls } from '@weft/xds-types';
import { Cluster } from '@weft/xds-types/envoy/config/cluster/v3/cluster.ts';
import { ClusterLoadAssignment } from '@weft/xds-types/envoy/config/endpoint/v3/endpoint.ts';
import { Listener } from '@weft/xds-types/envoy/config/listener/v3/listener.ts';
import { RouteConfiguration } from '@weft/xds-types/envoy/config/route/v3/route.ts';
import { Secret } from '@weft/xds-types/envoy/extensions/transport_sockets/tls/v3/secret.ts';
import {
  type DeltaDiscoveryRequest,
  type DeltaDiscoveryResponse,
  type DiscoveryRequest,
  type DiscoveryResponse,
  Resource,
} from '@weft/xds-types/envoy/service/discovery/v3/discovery.ts';
import type { Any } from '@weft/xds-types/google/protobuf/any.ts';
import { node } from './resources.ts';
import { deltaRequest, openDelta, openSotw, type ScriptedStream, sotwRequest } from './scripted-client.ts';

export type Variant = 'sotw' | 'delta';

/** A response in words that both variants share. */
export interface Answer {
  readonly typeUrl: string;
  readonly nonce: string;
  /** `version_info`, or `system_version_info`. */
  readonly version: string;
  /** Names, in the order of the message. */
  readonly names: readonly string[];
  readonly removed: readonly string[];
  readonly resources: readonly AnsweredResource[];
}

export interface AnsweredResource {
  readonly name: string;
  /** Delta, or wrapped: the version of the resource. */
  readonly version: string;
  readonly aliases: readonly string[];
  readonly ttlSeconds: number | undefined;
  readonly wrapped: boolean;
  readonly body: Any | undefined;
}

export const wrapperTypeUrl = 'type.googleapis.com/envoy.service.discovery.v3.Resource';

const nameReaders: Readonly<Record<string, (bytes: Uint8Array) => string>> = {
  [typeUrls.cluster]: (bytes) => Cluster.decode(bytes).name,
  [typeUrls.endpoint]: (bytes) => ClusterLoadAssignment.decode(bytes).clusterName,
  [typeUrls.listener]: (bytes) => Listener.decode(bytes).name,
  [typeUrls.routeConfiguration]: (bytes) => RouteConfiguration.decode(bytes).name,
  [typeUrls.secret]: (bytes) => Secret.decode(bytes).name,
};

function fromWrapper(resource: Resource, wrapped: boolean): AnsweredResource {
  return {
    name: resource.name,
    version: resource.version,
    aliases: resource.aliases,
    ttlSeconds: resource.ttl === undefined ? undefined : Number(resource.ttl.seconds) + resource.ttl.nanos / 1e9,
    wrapped,
    body: resource.resource,
  };
}

function fromAny(any: Any): AnsweredResource {
  if (any.typeUrl === wrapperTypeUrl) {
    return fromWrapper(Resource.decode(any.value), true);
  }
  const name = nameReaders[any.typeUrl]?.(any.value) ?? '';
  return { name, version: '', aliases: [], ttlSeconds: undefined, wrapped: false, body: any };
}

function answerOf(message: DiscoveryResponse | DeltaDiscoveryResponse): Answer {
  const delta = 'systemVersionInfo' in message;
  const resources = delta
    ? message.resources.map((resource) => fromWrapper(resource, true))
    : message.resources.map(fromAny);
  return {
    typeUrl: message.typeUrl,
    nonce: message.nonce,
    version: delta ? message.systemVersionInfo : message.versionInfo,
    names: resources.map((resource) => resource.name),
    removed: delta ? message.removedResources : [],
    resources,
  };
}

export interface SessionOptions {
  readonly path?: string;
  readonly clientFeatures?: string[];
}

const nack = (message: string): { code: number; message: string; details: [] } => ({ code: 3, message, details: [] });

/** A scripted client on one stream; keeps the books that every client keeps and lets a scenario write anything else. */
export abstract class Session {
  abstract readonly variant: Variant;
  readonly nodeId: string;
  protected readonly features: string[];
  protected readonly nonces = new Map<string, string>();
  protected nodeSent = false;
  readonly #client: Client;

  constructor(client: Client, nodeId: string, options: SessionOptions) {
    this.#client = client;
    this.nodeId = nodeId;
    this.features = options.clientFeatures ?? [];
  }

  protected node(): ReturnType<typeof node> | undefined {
    if (this.nodeSent) {
      return undefined;
    }
    this.nodeSent = true;
    return node(this.nodeId, this.features);
  }

  /** Adds names to the subscription (none: the legacy wildcard). */
  abstract subscribe(typeUrl: TypeUrl, names?: readonly string[]): void;
  abstract unsubscribe(typeUrl: TypeUrl, names: readonly string[]): void;
  /** The next response of the type. */
  abstract take(typeUrl: TypeUrl): Promise<Answer>;
  /** The next response, whatever its type. */
  abstract takeAny(): Promise<Answer>;
  abstract ack(answer: Answer): void;
  abstract nack(answer: Answer, reason: string): void;
  abstract pending(): readonly Answer[];
  abstract end(): Promise<{ code: number; details: string }>;
  abstract cancel(): void;

  async takeAndAck(typeUrl: TypeUrl): Promise<Answer> {
    const answer = await this.take(typeUrl);
    this.ack(answer);
    return answer;
  }

  /**
   * Waits until the server has dealt with everything sent so far: other streams of the same connection are answered after it.
   * (The second is for a stream that is just being authorized when the first arrives.) What is pending afterwards is all there is.
   */
  async settled(): Promise<readonly Answer[]> {
    await this.#marker();
    await this.#marker();
    return this.pending();
  }

  async #marker(): Promise<void> {
    markerCount += 1;
    const marker = openSotw(this.#client);
    marker.write(sotwRequest(typeUrls.cluster, { node: node(`${markerPrefix}${markerCount}`) }));
    await marker.take('marker');
    marker.cancel();
  }
}

/** Node ids that begin so belong to markers; the server under test has an empty snapshot for each. */
export const markerPrefix = 'marker-';
let markerCount = 0;

export class SotwSession extends Session {
  readonly variant = 'sotw';
  readonly stream: ScriptedStream<DiscoveryRequest, DiscoveryResponse>;
  readonly #names = new Map<string, string[]>();
  readonly #versions = new Map<string, string>();

  constructor(client: Client, nodeId: string, options: SessionOptions = {}) {
    super(client, nodeId, options);
    this.stream = openSotw(client, options.path);
  }

  /** Writes a request as it is; the node goes into the first. */
  request(typeUrl: TypeUrl | string, fields: Partial<DiscoveryRequest> = {}): void {
    this.stream.write(sotwRequest(typeUrl, { node: this.node(), ...fields }));
  }

  /** The full list of names, with the current version and nonce. */
  names(typeUrl: TypeUrl, names: readonly string[]): void {
    this.#names.set(typeUrl, [...names]);
    this.request(typeUrl, {
      resourceNames: [...names],
      versionInfo: this.#versions.get(typeUrl) ?? '',
      responseNonce: this.nonces.get(typeUrl) ?? '',
    });
  }

  override subscribe(typeUrl: TypeUrl, names: readonly string[] = []): void {
    this.names(typeUrl, [...new Set([...(this.#names.get(typeUrl) ?? []), ...names])]);
  }

  override unsubscribe(typeUrl: TypeUrl, names: readonly string[]): void {
    this.names(
      typeUrl,
      (this.#names.get(typeUrl) ?? []).filter((name) => !names.includes(name)),
    );
  }

  override async take(typeUrl: TypeUrl): Promise<Answer> {
    return answerOf(await this.stream.take(`response of ${typeUrl}`, (message) => message.typeUrl === typeUrl));
  }

  override async takeAny(): Promise<Answer> {
    return answerOf(await this.stream.take('response'));
  }

  override ack(answer: Answer, names?: readonly string[]): void {
    this.nonces.set(answer.typeUrl, answer.nonce);
    this.#versions.set(answer.typeUrl, answer.version);
    this.names(answer.typeUrl as TypeUrl, names ?? this.#names.get(answer.typeUrl) ?? []);
  }

  override nack(answer: Answer, reason: string): void {
    this.nonces.set(answer.typeUrl, answer.nonce);
    this.request(answer.typeUrl, {
      resourceNames: this.#names.get(answer.typeUrl) ?? [],
      versionInfo: this.#versions.get(answer.typeUrl) ?? '',
      responseNonce: answer.nonce,
      errorDetail: nack(reason),
    });
  }

  override pending(): readonly Answer[] {
    return this.stream.pending.map(answerOf);
  }

  override end(): Promise<{ code: number; details: string }> {
    return this.stream.end();
  }

  override cancel(): void {
    this.stream.cancel();
  }
}

export class DeltaSession extends Session {
  readonly variant = 'delta';
  readonly stream: ScriptedStream<DeltaDiscoveryRequest, DeltaDiscoveryResponse>;

  constructor(client: Client, nodeId: string, options: SessionOptions = {}) {
    super(client, nodeId, options);
    this.stream = openDelta(client, options.path);
  }

  request(typeUrl: TypeUrl | string, fields: Partial<DeltaDiscoveryRequest> = {}): void {
    this.stream.write(deltaRequest(typeUrl, { node: this.node(), ...fields }));
  }

  override subscribe(typeUrl: TypeUrl, names: readonly string[] = []): void {
    this.request(typeUrl, { resourceNamesSubscribe: [...names] });
  }

  override unsubscribe(typeUrl: TypeUrl, names: readonly string[]): void {
    this.request(typeUrl, { resourceNamesUnsubscribe: [...names] });
  }

  /** First request of a type on a new stream of a client that has these versions. */
  resume(typeUrl: TypeUrl, names: readonly string[], versions: Readonly<Record<string, string>>): void {
    this.request(typeUrl, { resourceNamesSubscribe: [...names], initialResourceVersions: { ...versions } });
  }

  override async take(typeUrl: TypeUrl): Promise<Answer> {
    return answerOf(await this.stream.take(`response of ${typeUrl}`, (message) => message.typeUrl === typeUrl));
  }

  override async takeAny(): Promise<Answer> {
    return answerOf(await this.stream.take('response'));
  }

  override ack(answer: Answer): void {
    this.request(answer.typeUrl, { responseNonce: answer.nonce });
  }

  override nack(answer: Answer, reason: string): void {
    this.request(answer.typeUrl, { responseNonce: answer.nonce, errorDetail: nack(reason) });
  }

  override pending(): readonly Answer[] {
    return this.stream.pending.map(answerOf);
  }

  override end(): Promise<{ code: number; details: string }> {
    return this.stream.end();
  }

  override cancel(): void {
    this.stream.cancel();
  }
}
