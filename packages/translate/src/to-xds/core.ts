import type { ListenAddress } from '@weft/ir';
import { Address, Pipe, SocketAddress } from '@weft/xds-types/envoy/config/core/v3/address.ts';
import {
  AggregatedConfigSource,
  ApiConfigSource,
  ApiConfigSource_ApiType,
  ApiVersion,
  ConfigSource,
} from '@weft/xds-types/envoy/config/core/v3/config_source.ts';
import { GrpcService, GrpcService_EnvoyGrpc } from '@weft/xds-types/envoy/config/core/v3/grpc_service.ts';
import type { Duration } from '@weft/xds-types/google/protobuf/duration.ts';
import { isUnixAddress, unixPrefix } from '../unix-address.ts';
import { create } from './message.ts';

export function duration(ms: number): Duration {
  const seconds = Math.floor(ms / 1000);
  return { seconds: BigInt(seconds), nanos: Math.round((ms - seconds * 1000) * 1_000_000) };
}

function socketAddress(address: string, port: number): Address {
  return create(Address, {
    address: {
      $case: 'socketAddress',
      value: create(SocketAddress, { address, portSpecifier: { $case: 'portValue', value: port } }),
    },
  });
}

/** Where somebody listens: an IP address or host name, or `unix://` and the path of a socket, which has no port. @param mode of a socket that is made. */
export function addressOf(address: string, port: number, mode = 0): Address {
  return isUnixAddress(address)
    ? create(Address, {
        address: { $case: 'pipe', value: create(Pipe, { path: address.slice(unixPrefix.length), mode }) },
      })
    : socketAddress(address, port);
}

/** A Unix socket of a proxy is for its owner and group, whatever the umask of whoever started it. */
const socketMode = 0o660;

/** Where a proxy listens. */
export function listeningAddress({ address, port }: ListenAddress): Address {
  return addressOf(address, port, socketMode);
}

/** The stream that the resource itself came by. */
export const fromAds: ConfigSource = create(ConfigSource, {
  configSourceSpecifier: { $case: 'ads', value: create(AggregatedConfigSource, {}) },
  resourceApiVersion: ApiVersion.V3,
});

/** The agent beside the proxy; our own proxy takes it for itself. */
export const fromLocalAgent: ConfigSource = create(ConfigSource, {
  configSourceSpecifier: {
    $case: 'apiConfigSource',
    value: create(ApiConfigSource, {
      apiType: ApiConfigSource_ApiType.GRPC,
      transportApiVersion: ApiVersion.V3,
      setNodeOnFirstMessageOnly: true,
      grpcServices: [
        create(GrpcService, {
          targetSpecifier: {
            $case: 'envoyGrpc',
            value: create(GrpcService_EnvoyGrpc, { clusterName: 'sds-grpc' }),
          },
        }),
      ],
    }),
  },
  resourceApiVersion: ApiVersion.V3,
});
