import { Client, type ClientDuplexStream, credentials, type ServiceError } from '@grpc/grpc-js';
import type { Svid, TrustBundle } from '@weft/identity';
import { eventually } from '@weft/testkit';
import { type TypeUrl, typeUrls } from '@weft/xds-types';
import { Cluster } from '@weft/xds-types/envoy/config/cluster/v3/cluster.ts';
import { Node } from '@weft/xds-types/envoy/config/core/v3/base.ts';
import { Listener } from '@weft/xds-types/envoy/config/listener/v3/listener.ts';
import { HttpConnectionManager } from '@weft/xds-types/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.ts';
import { DeltaDiscoveryRequest, DeltaDiscoveryResponse } from '@weft/xds-types/envoy/service/discovery/v3/discovery.ts';

const path = '/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources';
const asIs = (bytes: Buffer): Buffer => bytes;
const empty = new Uint8Array();

export interface DeltaClientOptions {
  readonly address: string;
  readonly bundle: TrustBundle;
  /** Absent: no client certificate. */
  readonly svid?: Svid | undefined;
  readonly nodeId: string;
  /** Versions that the client has from before, by type. */
  readonly initial?: ReadonlyMap<TypeUrl, ReadonlyMap<string, string>>;
  /** A reason to refuse a response. */
  readonly refuse?: (response: DeltaDiscoveryResponse) => string | undefined;
}

/** A proxy that does nothing but speak delta ADS as one would: it subscribes to what it is told of, and acknowledges. */
export class DeltaClient {
  readonly #client: Client;
  readonly #call: ClientDuplexStream<Buffer, Buffer>;
  readonly #options: DeltaClientOptions;
  readonly #named = new Map<TypeUrl, Set<string>>();
  readonly #first = new Set<TypeUrl>();
  /** What it has: type → name → version. */
  readonly resources = new Map<TypeUrl, Map<string, string>>();
  readonly bytes = new Map<string, Uint8Array>();
  /** Names in the order they came, `CDS name`. */
  readonly log: string[] = [];
  ended: { readonly code: number; readonly details: string } | undefined;

  constructor(options: DeltaClientOptions) {
    this.#options = options;
    const { bundle, svid, address, nodeId } = options;
    this.#client = new Client(
      address,
      credentials.createSsl(
        Buffer.from(bundle.pem),
        svid === undefined ? null : Buffer.from(svid.key.revealPem()),
        svid === undefined ? null : Buffer.from(svid.chainPem),
      ),
    );
    this.#call = this.#client.makeBidiStreamRequest(path, asIs, asIs);
    this.#call.on('data', (bytes: Buffer) => this.#take(DeltaDiscoveryResponse.decode(bytes)));
    this.#call.on('error', (error: ServiceError) => {
      this.ended ??= { code: error.code, details: error.details };
    });
    const node = { ...Node.decode(empty), id: nodeId, userAgentName: 'scripted' };
    for (const type of [typeUrls.cluster, typeUrls.listener, typeUrls.secret, typeUrls.virtualHost] as const) {
      this.#send(type, {
        ...(this.#first.size === 0 ? { node } : {}),
        resourceNamesSubscribe: type === typeUrls.secret ? ['ROOTCA'] : [],
      });
    }
  }

  /** Asks for one more resource of a type. */
  subscribe(type: TypeUrl, name: string): void {
    this.#send(type, { resourceNamesSubscribe: [name] });
  }

  names(type: TypeUrl): string[] {
    return [...(this.resources.get(type)?.keys() ?? [])].sort();
  }

  has(type: TypeUrl, name: string): Promise<boolean> {
    return eventually(() => this.resources.get(type)?.has(name), {
      what: `the client has ${name}`,
      timeoutMs: 5_000,
    }).then(() => true);
  }

  async end(): Promise<{ readonly code: number; readonly details: string }> {
    return eventually(() => this.ended, { what: 'the stream ends', timeoutMs: 5_000 });
  }

  close(): void {
    this.#call.cancel();
    this.#client.close();
  }

  #send(type: TypeUrl, request: Partial<DeltaDiscoveryRequest>): void {
    const initial = this.#first.has(type) ? undefined : this.#options.initial?.get(type);
    this.#first.add(type);
    this.#call.write(
      Buffer.from(
        DeltaDiscoveryRequest.encode({
          ...DeltaDiscoveryRequest.decode(empty),
          typeUrl: type,
          ...(initial === undefined ? {} : { initialResourceVersions: Object.fromEntries(initial) as never }),
          ...request,
        }).finish(),
      ),
    );
  }

  #take(response: DeltaDiscoveryResponse): void {
    const type = response.typeUrl as TypeUrl;
    const reason = this.#options.refuse?.(response);
    if (reason !== undefined) {
      const errorDetail = { code: 3, message: reason, details: [] };
      this.#send(type, { responseNonce: response.nonce, errorDetail });
      return;
    }
    const have = this.resources.get(type) ?? new Map<string, string>();
    this.resources.set(type, have);
    for (const resource of response.resources) {
      have.set(resource.name, resource.version);
      this.bytes.set(`${type} ${resource.name}`, resource.resource?.value ?? empty);
      this.log.push(`${type.slice(type.lastIndexOf('.') + 1)} ${resource.name}`);
    }
    for (const name of response.removedResources) {
      have.delete(name);
      this.log.push(`-${type.slice(type.lastIndexOf('.') + 1)} ${name}`);
    }
    this.#send(type, { responseNonce: response.nonce });
    for (const resource of response.resources) {
      const value = resource.resource?.value ?? empty;
      if (type === typeUrls.cluster) {
        const { edsClusterConfig, name } = Cluster.decode(value);
        if (edsClusterConfig !== undefined) {
          this.#follow(typeUrls.endpoint, edsClusterConfig.serviceName || name);
        }
      } else if (type === typeUrls.listener) {
        for (const name of routeNames(Listener.decode(value))) {
          this.#follow(typeUrls.routeConfiguration, name);
        }
      }
    }
  }

  #follow(type: TypeUrl, name: string): void {
    const names = this.#named.get(type) ?? new Set<string>();
    this.#named.set(type, names);
    if (!names.has(name)) {
      names.add(name);
      this.subscribe(type, name);
    }
  }
}

function routeNames(listener: Listener): string[] {
  return listener.filterChains.flatMap(({ filters }) =>
    filters.flatMap(({ configType }) => {
      if (configType?.$case !== 'typedConfig' || !configType.value.typeUrl.endsWith('HttpConnectionManager')) {
        return [];
      }
      const { routeSpecifier } = HttpConnectionManager.decode(configType.value.value);
      return routeSpecifier?.$case === 'rds' ? [routeSpecifier.value.routeConfigName] : [];
    }),
  );
}
