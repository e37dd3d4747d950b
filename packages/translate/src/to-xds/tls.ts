import type { MutualTls, Protocol } from '@weft/ir';
import { packAny } from '@weft/xds-types';
import { TransportSocket } from '@weft/xds-types/envoy/config/core/v3/base.ts';
import { RawBuffer } from '@weft/xds-types/envoy/extensions/transport_sockets/raw_buffer/v3/raw_buffer.ts';
import {
  CertificateValidationContext,
  SubjectAltNameMatcher,
  SubjectAltNameMatcher_SanType,
  TlsParameters,
  TlsParameters_TlsProtocol,
} from '@weft/xds-types/envoy/extensions/transport_sockets/tls/v3/common.ts';
import { SdsSecretConfig } from '@weft/xds-types/envoy/extensions/transport_sockets/tls/v3/secret.ts';
import {
  CommonTlsContext,
  CommonTlsContext_CombinedCertificateValidationContext,
  DownstreamTlsContext,
  UpstreamTlsContext,
} from '@weft/xds-types/envoy/extensions/transport_sockets/tls/v3/tls.ts';
import { StringMatcher } from '@weft/xds-types/envoy/type/matcher/v3/string.ts';
import { fromAds, fromLocalAgent } from './core.ts';
import { create } from './message.ts';

const tlsV3 = 'envoy.extensions.transport_sockets.tls.v3';

/** Names of secrets; docs/architecture.md "Names on the wire". */
const ownCertificate = 'default';
const trustBundle = 'ROOTCA';

type NameMatch = { readonly $case: 'exact' | 'prefix'; readonly value: string };

function commonContext(protocol: Protocol, names: readonly NameMatch[]): CommonTlsContext {
  return create(CommonTlsContext, {
    tlsParams: create(TlsParameters, {
      tlsMinimumProtocolVersion: TlsParameters_TlsProtocol.TLSv1_2,
      tlsMaximumProtocolVersion: TlsParameters_TlsProtocol.TLSv1_3,
    }),
    // The data-plane issue adds h2. Opaque TCP negotiates nothing.
    alpnProtocols: protocol === 'http' ? ['http/1.1'] : [],
    tlsCertificateSdsSecretConfigs: [create(SdsSecretConfig, { name: ownCertificate, sdsConfig: fromLocalAgent })],
    validationContextType: {
      $case: 'combinedValidationContext',
      value: create(CommonTlsContext_CombinedCertificateValidationContext, {
        defaultValidationContext: create(CertificateValidationContext, {
          matchTypedSubjectAltNames: names.map((name) =>
            create(SubjectAltNameMatcher, {
              sanType: SubjectAltNameMatcher_SanType.URI,
              matcher: create(StringMatcher, { matchPattern: name }),
            }),
          ),
        }),
        validationContextSdsSecretConfig: create(SdsSecretConfig, { name: trustBundle, sdsConfig: fromAds }),
      }),
    },
  });
}

/** Mutual TLS to a cluster: the peer must have one of the identities. */
export function upstreamTls(mutual: MutualTls, protocol: Protocol): TransportSocket {
  const context = create(UpstreamTlsContext, {
    commonTlsContext: commonContext(
      protocol,
      mutual.peerIds.map((value) => ({ $case: 'exact', value })),
    ),
    sni: mutual.sni,
  });
  return create(TransportSocket, {
    name: 'envoy.transport_sockets.tls',
    configType: { $case: 'typedConfig', value: packAny(`${tlsV3}.UpstreamTlsContext`, UpstreamTlsContext, context) },
  });
}

/** Mutual TLS from peers: any identity of the trust domain. */
export function downstreamTls(trustDomain: string, protocol: Protocol): TransportSocket {
  const context = create(DownstreamTlsContext, {
    commonTlsContext: commonContext(protocol, [{ $case: 'prefix', value: `spiffe://${trustDomain}/` }]),
    requireClientCertificate: true,
  });
  return create(TransportSocket, {
    name: 'envoy.transport_sockets.tls',
    configType: {
      $case: 'typedConfig',
      value: packAny(`${tlsV3}.DownstreamTlsContext`, DownstreamTlsContext, context),
    },
  });
}

export const plaintext: TransportSocket = create(TransportSocket, {
  name: 'envoy.transport_sockets.raw_buffer',
  configType: {
    $case: 'typedConfig',
    value: packAny('envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer', RawBuffer, create(RawBuffer, {})),
  },
});
