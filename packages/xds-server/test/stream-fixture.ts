import { silentLogger } from '@weft/base';
import { ManualClock } from '@weft/testkit';
import { type MessageCodec, type TypeUrl, typeUrls } from '@weft/xds-types';
import { Cluster, Cluster_DiscoveryType } from '@weft/xds-types/envoy/config/cluster/v3/cluster.ts';
import { RouteConfiguration } from '@weft/xds-types/envoy/config/route/v3/route.ts';
import { Route, RouteAction, VirtualHost } from '@weft/xds-types/envoy/config/route/v3/route_components.ts';
import {
  DeltaDiscoveryRequest,
  DeltaDiscoveryResponse,
  DiscoveryRequest,
  DiscoveryResponse,
} from '@weft/xds-types/envoy/service/discovery/v3/discovery.ts';
import type { NackRecord } from '../src/client-state.ts';
import { createSnapshot, encodeResource } from '../src/create-snapshot.ts';
import type { EncodedResource } from '../src/snapshot.ts';
import { DiscoveryStream, type DiscoveryStreamOptions } from '../src/stream/discovery-stream.ts';

export function blank<T>(codec: MessageCodec<T>): T {
  return codec.decode(new Uint8Array(0));
}

/** Any bytes will do for types that the server does not look into. */
export const opaque = (
  typeUrl: TypeUrl,
  name: string,
  text = '',
  extra: Partial<EncodedResource> = {},
): EncodedResource =>
  encodeResource({ typeUrl, name, value: Buffer.from(`\u{a}${String.fromCharCode(text.length)}${text}`), ...extra });

export function edsCluster(name: string, revision = 1): EncodedResource {
  const message: Cluster = {
    ...blank(Cluster),
    name,
    connectTimeout: { seconds: BigInt(revision), nanos: 0 },
    clusterDiscoveryType: { $case: 'type', value: Cluster_DiscoveryType.EDS },
  };
  return encodeResource({ typeUrl: typeUrls.cluster, name, value: Cluster.encode(message).finish() });
}

export function routesTo(name: string, cluster: string): EncodedResource {
  const route: Route = {
    ...blank(Route),
    action: {
      $case: 'route',
      value: { ...blank(RouteAction), clusterSpecifier: { $case: 'cluster', value: cluster } },
    },
  };
  const message: RouteConfiguration = {
    ...blank(RouteConfiguration),
    name,
    virtualHosts: [{ ...blank(VirtualHost), name: 'all', domains: ['*'], routes: [route] }],
  };
  return encodeResource({
    typeUrl: typeUrls.routeConfiguration,
    name,
    value: RouteConfiguration.encode(message).finish(),
  });
}

export interface SentResponse {
  readonly typeUrl: string;
  readonly nonce: string;
  readonly names: readonly string[];
  readonly absent: readonly string[];
  readonly removed: readonly string[];
}

/** A stream without a transport. */
export class StreamFixture {
  readonly clock = new ManualClock();
  readonly sent: SentResponse[] = [];
  readonly nacks: NackRecord[] = [];
  readonly stream: DiscoveryStream;
  ended: string | undefined;
  storeVersion = 0;

  constructor(options: Partial<DiscoveryStreamOptions> = {}) {
    const variant = options.variant ?? 'delta';
    this.stream = new DiscoveryStream({
      variant,
      fixedType: undefined,
      wrapsResources: false,
      clock: this.clock,
      logger: silentLogger,
      identifier: 'test',
      orderTimeoutMs: 5_000,
      followUpTimeoutMs: 500,
      onDemandTimeoutMs: 5_000,
      maxNamesPerType: 100,
      maxNameLength: 64,
      maxResponseBytes: 1_000_000,
      send: (message) => {
        this.sent.push(variant === 'delta' ? fromDelta(message) : fromSotw(message));
      },
      end: (_code, message) => {
        this.ended = message;
        this.stream.close();
      },
      onSubscribe: () => {},
      onProgress: () => {},
      onNack: (_typeUrl, nack) => this.nacks.push(nack),
      ...options,
    });
  }

  set(...resources: EncodedResource[]): void {
    this.storeVersion += 1;
    this.stream.setSnapshot(createSnapshot(this.storeVersion, resources, this.stream.snapshot));
  }

  delta(typeUrl: string, fields: Partial<DeltaDiscoveryRequest> = {}): void {
    this.stream.handleDelta({ ...blank(DeltaDiscoveryRequest), typeUrl, ...fields });
  }

  sotw(typeUrl: string, fields: Partial<DiscoveryRequest> = {}): void {
    this.stream.handleSotw({ ...blank(DiscoveryRequest), typeUrl, ...fields });
  }

  subscribe(typeUrl: string, ...names: string[]): void {
    this.delta(typeUrl, { resourceNamesSubscribe: names });
  }

  /** Lets the stream do its work and takes what it sent. */
  async take(): Promise<SentResponse[]> {
    await Promise.resolve();
    await Promise.resolve();
    return this.sent.splice(0);
  }

  /** Takes and acknowledges until nothing comes any more. */
  async settle(): Promise<SentResponse[]> {
    const all: SentResponse[] = [];
    for (let batch = await this.take(); batch.length > 0; batch = await this.take()) {
      all.push(...batch);
      batch.forEach((response) => void this.ack(response));
    }
    return all;
  }

  ack({ typeUrl, nonce }: SentResponse): void {
    this.delta(typeUrl, { responseNonce: nonce });
  }

  nack({ typeUrl, nonce }: SentResponse, message: string): void {
    this.delta(typeUrl, { responseNonce: nonce, errorDetail: { code: 3, message, details: [] } });
  }
}

function fromDelta(bytes: Uint8Array): SentResponse {
  const { typeUrl, nonce, resources, removedResources } = DeltaDiscoveryResponse.decode(bytes);
  return {
    typeUrl,
    nonce,
    names: resources.filter(({ resource }) => resource !== undefined).map(({ name }) => name),
    absent: resources.filter(({ resource }) => resource === undefined).map(({ name }) => name),
    removed: removedResources,
  };
}

function fromSotw(bytes: Uint8Array): SentResponse {
  const { typeUrl, nonce, resources } = DiscoveryResponse.decode(bytes);
  return {
    typeUrl,
    nonce,
    names: resources.map(({ value }) => Buffer.from(value).toString('latin1')),
    absent: [],
    removed: [],
  };
}

const names: Readonly<Record<string, string>> = {
  [typeUrls.cluster]: 'CDS',
  [typeUrls.endpoint]: 'EDS',
  [typeUrls.secret]: 'SDS',
  [typeUrls.listener]: 'LDS',
  [typeUrls.routeConfiguration]: 'RDS',
  [typeUrls.virtualHost]: 'VHDS',
};

/** `CDS(x,-y)`: what was sent, in the order of the wire. */
export function wire(responses: readonly SentResponse[]): string[] {
  return responses.map(({ typeUrl, names: present, absent, removed }) => {
    const parts = [...present, ...absent.map((name) => `?${name}`), ...removed.map((name) => `-${name}`)];
    return `${names[typeUrl]}(${parts.join(',')})`;
  });
}
