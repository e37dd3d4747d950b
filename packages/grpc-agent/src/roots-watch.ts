import type { AgentBootstrap, HostPort } from '@weft/agent';
import type { Clock, Logger } from '@weft/base';
import { type ClientCredentials, createXdsClient, type ResourceType, type XdsClient } from '@weft/xds-client';
import { typeUrls } from '@weft/xds-types';
import { Secret } from '@weft/xds-types/envoy/extensions/transport_sockets/tls/v3/secret.ts';

/** Name of the roots of the mesh in SDS. */
const rootsName = 'ROOTCA';
const askTimeoutMs = 15_000;

const rootsType: ResourceType<string> = {
  typeUrl: typeUrls.secret,
  subscription: 'by-reference',
  decode(name, bytes) {
    const { type } = Secret.decode(bytes);
    const source = type?.$case === 'validationContext' ? type.value.trustedCa?.specifier : undefined;
    switch (source?.$case) {
      case 'inlineBytes':
        return { ok: Buffer.from(source.value).toString('utf8') };
      case 'inlineString':
        return { ok: source.value };
      default:
        return { error: [`the secret ${name} holds no roots`] };
    }
  },
  nameOf: (bytes) => Secret.decode(bytes).name,
};

export interface RootsWatchOptions {
  readonly node: AgentBootstrap['node'];
  readonly address: HostPort;
  readonly credentials: () => ClientCredentials;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
  /** PEM. */
  readonly onRoots: (pem: string) => void;
}

/**
 * Follows the roots of the mesh. Its stream also tells the control plane that the workload is there: the gRPC library beside us opens its
 * own with the first call only.
 */
export class RootsWatch {
  readonly #client: XdsClient;

  constructor({ node, address, credentials, clock, logger, random, onRoots }: RootsWatchOptions) {
    this.#client = createXdsClient({
      address,
      credentials,
      node: {
        id: node.id,
        cluster: node.cluster,
        metadata: { ...node.metadata },
        dynamicParameters: {},
        locality: node.locality,
        userAgentName: 'weft-grpc-agent',
        userAgentVersionType: { $case: 'userAgentVersion', value: String(node.metadata['WEFT_VERSION'] ?? '') },
        extensions: [],
        clientFeatures: [],
        listeningAddresses: [],
      },
      types: [rootsType],
      cacheFile: undefined,
      clock,
      logger,
      random,
      onUpdate: ({ changes }) => {
        for (const change of changes) {
          if (change.kind === 'set' && change.name === rootsName) {
            onRoots(change.value as string);
          }
        }
      },
      onConnectivity: (connected) => logger.info(connected ? 'control plane connected' : 'control plane lost'),
    });
  }

  /** Does not wait for the connection. */
  async start(): Promise<void> {
    await this.#client.start();
    void this.#client.demand(typeUrls.secret, rootsName, askTimeoutMs);
  }

  close(): void {
    this.#client.close();
  }
}
