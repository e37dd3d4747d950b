/** TLS transport sockets and secrets. */
import { ConfigSource, DataSource } from './core-schema.ts';
import { StringMatcher } from './matcher-schema.ts';
import { boolValue, enumeration, message, nested, only, repeated, string } from './schema.ts';

export const TlsParameters = message(
  'envoy.extensions.transport_sockets.tls.v3.TlsParameters',
  {
    tls_minimum_protocol_version: enumeration(1, 'TLS_AUTO=0 TLSv1_0=1 TLSv1_1=2 TLSv1_2=3 TLSv1_3=4'),
    tls_maximum_protocol_version: enumeration(2, 'TLS_AUTO=0 TLSv1_0=1 TLSv1_1=2 TLSv1_2=3 TLSv1_3=4'),
    cipher_suites: repeated(string(3)),
  },
  '4:ecdh_curves 5:signature_algorithms',
);

export const TlsCertificate = message(
  'envoy.extensions.transport_sockets.tls.v3.TlsCertificate',
  { certificate_chain: nested(1, DataSource), private_key: nested(2, DataSource) },
  '3:password 4:ocsp_staple 5:signed_certificate_timestamp 6:private_key_provider 7:watched_directory 8:pkcs12',
);

export const SubjectAltNameMatcher = message(
  'envoy.extensions.transport_sockets.tls.v3.SubjectAltNameMatcher',
  {
    san_type: enumeration(1, 'SAN_TYPE_UNSPECIFIED=0 EMAIL=1 DNS=2 URI=3 IP_ADDRESS=4 OTHER_NAME=5'),
    matcher: nested(2, StringMatcher),
  },
  '3:oid',
);

export const CertificateValidationContextSystemRootCerts = message(
  'envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext.SystemRootCerts',
  {},
);

export const CertificateValidationContext = message(
  'envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext',
  {
    trusted_ca: nested(1, DataSource),
    verify_certificate_hash: repeated(string(2)),
    verify_certificate_spki: repeated(string(3)),
    crl: nested(7, DataSource),
    trust_chain_verification: enumeration(10, 'VERIFY_TRUST_CHAIN=0 ACCEPT_UNTRUSTED=1'),
    match_typed_subject_alt_names: repeated(nested(15, SubjectAltNameMatcher)),
    system_root_certs: nested(17, CertificateValidationContextSystemRootCerts),
  },
  '6:require_signed_certificate_timestamp 8:allow_expired_certificate 9:match_subject_alt_names 11:watched_directory 12:custom_validator_config 13:ca_certificate_provider_instance 14:only_verify_leaf_cert_crl 16:max_verify_depth',
);

export const SdsSecretConfig = message('envoy.extensions.transport_sockets.tls.v3.SdsSecretConfig', {
  name: string(1),
  sds_config: nested(2, ConfigSource),
});

export const Secret = message(
  'envoy.extensions.transport_sockets.tls.v3.Secret',
  {
    name: string(1),
    tls_certificate: nested(2, TlsCertificate),
    validation_context: nested(4, CertificateValidationContext),
  },
  '3:session_ticket_keys 5:generic_secret',
  [['tls_certificate', 'validation_context']],
);

export const CommonTlsContextCombinedCertificateValidationContext = message(
  'envoy.extensions.transport_sockets.tls.v3.CommonTlsContext.CombinedCertificateValidationContext',
  {
    default_validation_context: nested(1, CertificateValidationContext),
    validation_context_sds_secret_config: nested(2, SdsSecretConfig),
  },
  '3:validation_context_certificate_provider 4:validation_context_certificate_provider_instance',
);

export const CommonTlsContext = message(
  'envoy.extensions.transport_sockets.tls.v3.CommonTlsContext',
  {
    tls_params: nested(1, TlsParameters),
    tls_certificates: repeated(nested(2, TlsCertificate)),
    validation_context: nested(3, CertificateValidationContext),
    alpn_protocols: repeated(string(4)),
    tls_certificate_sds_secret_configs: repeated(nested(6, SdsSecretConfig)),
    validation_context_sds_secret_config: nested(7, SdsSecretConfig),
    combined_validation_context: nested(8, CommonTlsContextCombinedCertificateValidationContext),
  },
  '9:tls_certificate_certificate_provider 10:validation_context_certificate_provider 11:tls_certificate_certificate_provider_instance 12:validation_context_certificate_provider_instance 13:custom_handshaker 14:tls_certificate_provider_instance 15:key_log',
  [['validation_context', 'validation_context_sds_secret_config', 'combined_validation_context']],
);

export const UpstreamTlsContext = message(
  'envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext',
  { common_tls_context: nested(1, CommonTlsContext), sni: string(2) },
  '3:allow_renegotiation 4:max_session_keys 5:enforce_rsa_key_usage',
);

export const DownstreamTlsContext = message(
  'envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext',
  {
    common_tls_context: nested(1, CommonTlsContext),
    require_client_certificate: boolValue(2),
    require_sni: only(boolValue(3), false),
  },
  '4:session_ticket_keys 5:session_ticket_keys_sds_secret_config 6:session_timeout 7:disable_stateless_session_resumption 8:ocsp_staple_policy 9:full_scan_certs_on_sni_mismatch 10:disable_stateful_session_resumption',
);

export const RawBuffer = message('envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer', {});
