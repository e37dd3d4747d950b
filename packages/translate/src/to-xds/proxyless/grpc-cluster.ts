import type { MutualTls, OutboundCluster } from '@weft/ir';
import { packAny, typeUrls } from '@weft/xds-types';
import {
  Cluster,
  Cluster_DiscoveryType,
  Cluster_EdsClusterConfig,
  Cluster_LbPolicy,
  Cluster_RingHashLbConfig,
} from '@weft/xds-types/envoy/config/cluster/v3/cluster.ts';
import { TransportSocket } from '@weft/xds-types/envoy/config/core/v3/base.ts';
import { ConfigSource, SelfConfigSource } from '@weft/xds-types/envoy/config/core/v3/config_source.ts';
import {
  CertificateProviderPluginInstance,
  CertificateValidationContext,
} from '@weft/xds-types/envoy/extensions/transport_sockets/tls/v3/common.ts';
import { CommonTlsContext, UpstreamTlsContext } from '@weft/xds-types/envoy/extensions/transport_sockets/tls/v3/tls.ts';
import { StringMatcher } from '@weft/xds-types/envoy/type/matcher/v3/string.ts';
import { isNoIdentity } from '../../names.ts';
import { breakers, discoveryFields } from '../cluster.ts';
import { fromAds } from '../core.ts';
import { create, perObject, type XdsMessage, xdsMessage } from '../message.ts';
import { grpcRefusal } from './abilities.ts';
import { nowhereName } from './nowhere.ts';

/** Name under which the bootstrap file of gRPC has the workload's certificate and roots. */
const certificateProvider = 'default';

/** An outbound cluster as gRPC reads it; the same message for the same IR. */
export const grpcClusterMessage: (cluster: OutboundCluster) => XdsMessage = perObject((cluster) =>
  xdsMessage(
    typeUrls.cluster,
    cluster.name,
    Cluster,
    create(Cluster, {
      name: cluster.name,
      ...(grpcRefusal(cluster) === undefined ? discoveryFields(oneName(cluster)) : nobody),
      ...balancing(cluster),
      circuitBreakers: breakers(cluster.limits),
      transportSocket: transportSocket(cluster),
      // Loads are reported where the configuration came from.
      lrsServer: create(ConfigSource, {
        configSourceSpecifier: { $case: 'self', value: create(SelfConfigSource, {}) },
      }),
    }),
    cluster.origins,
  ),
);

/**
 * What gRPC cannot do is not left to its libraries: they refuse such a cluster, but go on with the one that they had before, which may
 * have been in plaintext.
 */
const nobody: Partial<Cluster> = {
  clusterDiscoveryType: { $case: 'type', value: Cluster_DiscoveryType.EDS },
  edsClusterConfig: create(Cluster_EdsClusterConfig, { edsConfig: fromAds, serviceName: nowhereName }),
};

/** gRPC takes names of DNS one by one. */
function oneName(cluster: OutboundCluster): OutboundCluster {
  const { discovery } = cluster;
  return discovery.kind === 'dns' ? { ...cluster, discovery: { ...discovery, addresses: 'one' } } : cluster;
}

/** gRPC knows these two: round robin stands for all that look at load, ring hash for what is consistent. */
function balancing({ loadBalancer }: OutboundCluster): Partial<Cluster> {
  switch (loadBalancer.kind) {
    case 'ring-hash':
      return {
        lbPolicy: Cluster_LbPolicy.RING_HASH,
        lbConfig: {
          $case: 'ringHashLbConfig',
          value: create(Cluster_RingHashLbConfig, { minimumRingSize: BigInt(loadBalancer.minimumRingSize) }),
        },
      };
    case 'maglev':
      return { lbPolicy: Cluster_LbPolicy.RING_HASH };
    default:
      return { lbPolicy: Cluster_LbPolicy.ROUND_ROBIN };
  }
}

/**
 * gRPC has one way to speak to all endpoints of a cluster. Where each decides for itself it is mutual TLS as soon as one of them has an
 * identity: those without a sidecar are then not reached, rather than the others reached in the clear.
 */
function transportSocket({ tls, discovery }: OutboundCluster): TransportSocket | undefined {
  switch (tls.kind) {
    case 'disabled':
    case 'originate':
      return undefined;
    case 'auto': {
      const isPlain =
        discovery.kind === 'dns'
          ? discovery.endpoints.every((endpoint) => !endpoint.mutualTls)
          : tls.mutual.peerIds.every(isNoIdentity);
      return isPlain ? undefined : mutualTls(tls.mutual);
    }
    case 'mutual':
      return mutualTls(tls.mutual);
  }
}

function mutualTls({ peerIds }: MutualTls): TransportSocket {
  const provider = create(CertificateProviderPluginInstance, { instanceName: certificateProvider });
  const commonTlsContext = create(CommonTlsContext, {
    tlsCertificateProviderInstance: provider,
    validationContextType: {
      $case: 'validationContext',
      value: create(CertificateValidationContext, {
        caCertificateProviderInstance: provider,
        // The older of two fields for it: gRPC reads no other.
        matchSubjectAltNames: peerIds.map((value) =>
          create(StringMatcher, { matchPattern: { $case: 'exact', value } }),
        ),
      }),
    },
  });
  return create(TransportSocket, {
    name: 'envoy.transport_sockets.tls',
    configType: {
      $case: 'typedConfig',
      value: packAny(
        'envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext',
        UpstreamTlsContext,
        create(UpstreamTlsContext, { commonTlsContext }),
      ),
    },
  });
}
