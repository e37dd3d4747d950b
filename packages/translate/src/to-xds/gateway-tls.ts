import type { GatewayClientCertificates, GatewayTls } from '@weft/ir';
import { packAny } from '@weft/xds-types';
import { TransportSocket } from '@weft/xds-types/envoy/config/core/v3/base.ts';
import {
  CertificateValidationContext,
  CertificateValidationContext_TrustChainVerification,
  SubjectAltNameMatcher,
  SubjectAltNameMatcher_SanType,
  type TlsCertificate,
  TlsParameters,
  TlsParameters_TlsProtocol,
} from '@weft/xds-types/envoy/extensions/transport_sockets/tls/v3/common.ts';
import { SdsSecretConfig } from '@weft/xds-types/envoy/extensions/transport_sockets/tls/v3/secret.ts';
import {
  CommonTlsContext,
  CommonTlsContext_CombinedCertificateValidationContext,
  DownstreamTlsContext,
} from '@weft/xds-types/envoy/extensions/transport_sockets/tls/v3/tls.ts';
import { StringMatcher } from '@weft/xds-types/envoy/type/matcher/v3/string.ts';
import { fromAds, fromLocalAgent } from './core.ts';
import { create } from './message.ts';
import { certificateOfFiles, file, ownCertificate, trustBundle } from './tls.ts';

const versions = {
  '1.0': TlsParameters_TlsProtocol.TLSv1_0,
  '1.1': TlsParameters_TlsProtocol.TLSv1_1,
  '1.2': TlsParameters_TlsProtocol.TLSv1_2,
  '1.3': TlsParameters_TlsProtocol.TLSv1_3,
} as const;

/** TLS that ends at a gateway. @param http offers HTTP/2 and HTTP/1.1. */
export function gatewayTls(tls: GatewayTls, trustDomain: string, http: boolean): TransportSocket {
  const { certificates, client } = tls;
  const context = create(DownstreamTlsContext, {
    commonTlsContext: create(CommonTlsContext, {
      tlsParams: create(TlsParameters, {
        tlsMinimumProtocolVersion: versions[tls.minVersion ?? '1.2'],
        tlsMaximumProtocolVersion: versions[tls.maxVersion ?? '1.3'],
        cipherSuites: [...tls.cipherSuites],
      }),
      alpnProtocols: http ? ['h2', 'http/1.1'] : [],
      ...certificateFields(certificates),
      validationContextType: client.kind === 'none' ? undefined : clientValidation(client, trustDomain),
    }),
    requireClientCertificate: client.kind === 'verified' ? client.required : undefined,
  });
  return create(TransportSocket, {
    name: 'envoy.transport_sockets.tls',
    configType: {
      $case: 'typedConfig',
      value: packAny('envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext', DownstreamTlsContext, context),
    },
  });
}

function certificateFields(certificates: GatewayTls['certificates']): Partial<CommonTlsContext> {
  if (certificates === 'mesh') {
    const own = create(SdsSecretConfig, { name: ownCertificate, sdsConfig: fromLocalAgent });
    return { tlsCertificateSdsSecretConfigs: [own] };
  }
  const configs: SdsSecretConfig[] = [];
  const given: TlsCertificate[] = [];
  for (const certificate of certificates) {
    if (typeof certificate === 'string') {
      configs.push(create(SdsSecretConfig, { name: certificate, sdsConfig: fromAds }));
    } else {
      given.push(certificateOfFiles(certificate));
    }
  }
  return { tlsCertificateSdsSecretConfigs: configs, tlsCertificates: given };
}

function clientValidation(
  client: Exclude<GatewayClientCertificates, { kind: 'none' }>,
  trustDomain: string,
): CommonTlsContext['validationContextType'] {
  const isMesh = client.roots.kind === 'mesh';
  const subjectAltNames = client.kind === 'verified' ? client.subjectAltNames : [];
  const matchers = subjectAltNames.flatMap((name) => [
    sanMatcher(name.includes('://') ? SubjectAltNameMatcher_SanType.URI : SubjectAltNameMatcher_SanType.DNS, {
      $case: 'exact',
      value: name,
    }),
  ]);
  const { ACCEPT_UNTRUSTED, VERIFY_TRUST_CHAIN } = CertificateValidationContext_TrustChainVerification;
  const trustChainVerification = client.kind === 'unverified' ? ACCEPT_UNTRUSTED : VERIFY_TRUST_CHAIN;
  const matchTypedSubjectAltNames =
    matchers.length > 0 || !isMesh
      ? matchers
      : [sanMatcher(SubjectAltNameMatcher_SanType.URI, { $case: 'prefix', value: `spiffe://${trustDomain}/` })];
  const { crlPath = undefined, pins = undefined } = client.kind === 'verified' ? client : {};
  const checks = {
    matchTypedSubjectAltNames,
    trustChainVerification,
    ...(crlPath === undefined ? {} : { crl: file(crlPath) }),
    ...(pins === undefined
      ? {}
      : { verifyCertificateHash: [...pins.certificates], verifyCertificateSpki: [...pins.keys] }),
  };
  if (client.roots.kind === 'file') {
    const trustedCa = file(client.roots.path);
    return { $case: 'validationContext', value: create(CertificateValidationContext, { ...checks, trustedCa }) };
  }
  return {
    $case: 'combinedValidationContext',
    value: create(CommonTlsContext_CombinedCertificateValidationContext, {
      defaultValidationContext: create(CertificateValidationContext, checks),
      validationContextSdsSecretConfig: create(SdsSecretConfig, {
        name: client.roots.kind === 'mesh' ? trustBundle : client.roots.name,
        sdsConfig: fromAds,
      }),
    }),
  };
}

function sanMatcher(
  sanType: (typeof SubjectAltNameMatcher_SanType)[keyof typeof SubjectAltNameMatcher_SanType],
  matchPattern: { readonly $case: 'exact' | 'prefix'; readonly value: string },
): SubjectAltNameMatcher {
  return create(SubjectAltNameMatcher, { sanType, matcher: create(StringMatcher, { matchPattern }) });
}
