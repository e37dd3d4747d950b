import type { CertificateFiles, MutualTls, TlsOrigination } from '@weft/ir';
import { packAny } from '@weft/xds-types';
import { DataSource, TransportSocket } from '@weft/xds-types/envoy/config/core/v3/base.ts';
import {
  ProxyProtocolConfig,
  ProxyProtocolConfig_Version,
} from '@weft/xds-types/envoy/config/core/v3/proxy_protocol.ts';
import { ProxyProtocolUpstreamTransport } from '@weft/xds-types/envoy/extensions/transport_sockets/proxy_protocol/v3/upstream_proxy_protocol.ts';
import { RawBuffer } from '@weft/xds-types/envoy/extensions/transport_sockets/raw_buffer/v3/raw_buffer.ts';
import {
  CertificateValidationContext,
  SubjectAltNameMatcher,
  SubjectAltNameMatcher_SanType,
  TlsCertificate,
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
export const ownCertificate = 'default';
export const trustBundle = 'ROOTCA';

/** Where Debian, Ubuntu, Alpine and Arch have the machine's roots; Envoy knows no other way to name them (`system_root_certs` is gRPC's). */
const systemRoots = '/etc/ssl/certs/ca-certificates.crt';

type NameMatch = { readonly $case: 'exact' | 'prefix'; readonly value: string };

function commonContext(alpnProtocols: readonly string[], names: readonly NameMatch[]): CommonTlsContext {
  return create(CommonTlsContext, {
    tlsParams: create(TlsParameters, {
      tlsMinimumProtocolVersion: TlsParameters_TlsProtocol.TLSv1_2,
      tlsMaximumProtocolVersion: TlsParameters_TlsProtocol.TLSv1_3,
    }),
    alpnProtocols: [...alpnProtocols],
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

/**
 * Mutual TLS to a cluster: the peer must have one of the identities.
 * @param alpn what is offered, best first; empty = nothing by configuration.
 */
export function upstreamTls(mutual: MutualTls, alpn: readonly string[]): TransportSocket {
  const context = create(UpstreamTlsContext, {
    commonTlsContext: commonContext(
      alpn,
      mutual.peerIds.map((value) => ({ $case: 'exact', value })),
    ),
    sni: mutual.sni,
  });
  return create(TransportSocket, {
    name: 'envoy.transport_sockets.tls',
    configType: { $case: 'typedConfig', value: packAny(`${tlsV3}.UpstreamTlsContext`, UpstreamTlsContext, context) },
  });
}

/** TLS with servers that are not of the mesh. @param alpn what is offered, best first. */
export function originatedTls(origination: TlsOrigination, alpn: readonly string[]): TransportSocket {
  const { sni = '', certificate } = origination;
  const commonTlsContext = create(CommonTlsContext, {
    tlsParams: create(TlsParameters, {
      tlsMinimumProtocolVersion: TlsParameters_TlsProtocol.TLSv1_2,
      tlsMaximumProtocolVersion: TlsParameters_TlsProtocol.TLSv1_3,
    }),
    alpnProtocols: [...alpn],
    ...(certificate?.kind === 'secret'
      ? { tlsCertificateSdsSecretConfigs: [create(SdsSecretConfig, { name: certificate.name, sdsConfig: fromAds })] }
      : {}),
    ...(certificate?.kind === 'files'
      ? {
          tlsCertificates: [certificateOfFiles(certificate)],
        }
      : {}),
    validationContextType: validation(origination),
  });
  return create(TransportSocket, {
    name: 'envoy.transport_sockets.tls',
    configType: {
      $case: 'typedConfig',
      value: packAny(
        `${tlsV3}.UpstreamTlsContext`,
        UpstreamTlsContext,
        create(UpstreamTlsContext, { commonTlsContext, sni }),
      ),
    },
  });
}

export function certificateOfFiles({ certificatePath, keyPath }: CertificateFiles): TlsCertificate {
  return create(TlsCertificate, { certificateChain: file(certificatePath), privateKey: file(keyPath) });
}

export function file(path: string): DataSource {
  return create(DataSource, { specifier: { $case: 'filename', value: path } });
}

function validation({
  roots,
  subjectAltNames,
  sni,
  crlPath,
}: TlsOrigination): CommonTlsContext['validationContextType'] {
  if (roots.kind === 'none') {
    return undefined;
  }
  const names = subjectAltNames.length > 0 || sni === undefined ? subjectAltNames : [sni];
  const matchTypedSubjectAltNames = names.flatMap((name) => {
    const matcher = create(StringMatcher, { matchPattern: { $case: 'exact', value: name } });
    const { DNS, URI } = SubjectAltNameMatcher_SanType;
    return create(SubjectAltNameMatcher, { sanType: name.includes('://') ? URI : DNS, matcher });
  });
  const crl = crlPath === undefined ? undefined : file(crlPath);
  switch (roots.kind) {
    case 'system':
      return {
        $case: 'validationContext',
        value: create(CertificateValidationContext, {
          matchTypedSubjectAltNames,
          trustedCa: file(systemRoots),
          crl,
        }),
      };
    case 'file':
      return {
        $case: 'validationContext',
        value: create(CertificateValidationContext, { matchTypedSubjectAltNames, trustedCa: file(roots.path), crl }),
      };
    case 'secret':
      return {
        $case: 'combinedValidationContext',
        value: create(CommonTlsContext_CombinedCertificateValidationContext, {
          defaultValidationContext: create(CertificateValidationContext, { matchTypedSubjectAltNames }),
          validationContextSdsSecretConfig: create(SdsSecretConfig, { name: roots.name, sdsConfig: fromAds }),
        }),
      };
  }
}

/**
 * Mutual TLS from peers: any identity of the trust domain.
 * @param alpn what is taken, best first; empty = nothing is negotiated.
 */
export function downstreamTls(trustDomain: string, alpn: readonly string[]): TransportSocket {
  const context = create(DownstreamTlsContext, {
    commonTlsContext: commonContext(alpn, [{ $case: 'prefix', value: `spiffe://${trustDomain}/` }]),
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

/** The same socket with a header of the PROXY protocol before its first byte. */
export function withProxyProtocol(transportSocket: TransportSocket, version: 1 | 2): TransportSocket {
  const config = create(ProxyProtocolConfig, {
    version: version === 1 ? ProxyProtocolConfig_Version.V1 : ProxyProtocolConfig_Version.V2,
  });
  return create(TransportSocket, {
    name: 'envoy.transport_sockets.upstream_proxy_protocol',
    configType: {
      $case: 'typedConfig',
      value: packAny(
        'envoy.extensions.transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport',
        ProxyProtocolUpstreamTransport,
        create(ProxyProtocolUpstreamTransport, { config, transportSocket }),
      ),
    },
  });
}
