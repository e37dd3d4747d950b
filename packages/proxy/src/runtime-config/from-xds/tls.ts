import { getCiphers } from 'node:tls';
import type {
  DownstreamTls,
  SecretRef,
  SubjectAltNameMatch,
  TlsCommon,
  TlsValidation,
  UpstreamTls,
} from '../config.ts';
import type { ConfigSource } from '../wire/core-schema.ts';
import type { Problems } from '../wire/problems.ts';
import type { Decoded } from '../wire/schema.ts';
import type {
  CertificateValidationContext,
  CommonTlsContext,
  DownstreamTlsContext,
  SdsSecretConfig,
  TlsParameters,
  UpstreamTlsContext,
} from '../wire/tls-schema.ts';
import { certificatePinsFromXds } from './certificate-pins.ts';
import { givenKeyPairFromXds, givenRootsFromXds } from './given-secret.ts';
import { present } from './present.ts';
import { givenRevocationListsFromXds } from './revocation-lists.ts';
import { stringMatchFromXds } from './string-match.ts';

/** The SDS cluster that stands for the identity which the proxy itself holds. */
const LOCAL_SDS_CLUSTER = 'sds-grpc';
const MAX_SNI_LENGTH = 255;

/** `envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext` */
export function downstreamTlsFromXds(context: Decoded<typeof DownstreamTlsContext>, problems: Problems): DownstreamTls {
  const common = commonFromXds(context.common_tls_context, 'TLSv1.3', problems);
  if (common.certificates.length === 0) {
    problems.add('a server needs a certificate', 'common_tls_context.tls_certificate_sds_secret_configs');
  }
  const requireClientCertificate = context.require_client_certificate ?? false;
  if (requireClientCertificate && common.validation === undefined) {
    problems.add(
      'a client certificate that is required must be validated',
      'common_tls_context.combined_validation_context',
    );
  }
  return { ...common, requireClientCertificate };
}

/** `envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext` */
export function upstreamTlsFromXds(context: Decoded<typeof UpstreamTlsContext>, problems: Problems): UpstreamTls {
  if (context.sni.length > MAX_SNI_LENGTH || /[^\x21-\x7e]/.test(context.sni)) {
    problems.add('is not a server name', 'sni');
  }
  const common = commonFromXds(context.common_tls_context, 'TLSv1.2', problems);
  if (common.validation?.acceptUntrusted === true) {
    problems.add('ACCEPT_UNTRUSTED is for clients only: servers are always verified', 'common_tls_context');
  }
  if (common.certificates.length > 1) {
    problems.add('a client has one certificate at most', 'common_tls_context.tls_certificate_sds_secret_configs');
  }
  return { ...common, sni: context.sni };
}

/** @param autoMaximum what `TLS_AUTO` means for the maximum: Envoy's clients stop at 1.2, its servers at 1.3. */
function commonFromXds(
  context: Decoded<typeof CommonTlsContext> | undefined,
  autoMaximum: TlsCommon['maxVersion'],
  problems: Problems,
): TlsCommon {
  return problems.within('common_tls_context', () => {
    const parameters = context?.tls_params;
    const { tls_certificate_sds_secret_configs: secrets = [], tls_certificates: pairs = [] } = context ?? {};
    if (secrets.length > 0 && pairs.length > 0) {
      problems.add('not beside tls_certificate_sds_secret_configs', 'tls_certificates');
    }
    const certificates = present([
      ...problems.each('tls_certificate_sds_secret_configs', secrets, (config) => secretRefFromXds(config, problems)),
      ...problems.each('tls_certificates', pairs, (pair) => givenKeyPairFromXds(pair, problems)),
    ]);
    const minVersion = versionFromXds(parameters?.tls_minimum_protocol_version, 'TLSv1.2', 'minimum', problems);
    const maxVersion = versionFromXds(parameters?.tls_maximum_protocol_version, autoMaximum, 'maximum', problems);
    if (minVersion === 'TLSv1.3' && maxVersion === 'TLSv1.2') {
      if (parameters?.tls_maximum_protocol_version === 'TLS_AUTO') {
        return finish('TLSv1.3');
      }
      problems.add('the minimum version is above the maximum', 'tls_params');
    }
    return finish(maxVersion);

    function finish(maximum: TlsCommon['maxVersion']): TlsCommon {
      return {
        certificates,
        validation: validationFromXds(context, problems),
        alpn: alpnFromXds(context?.alpn_protocols ?? [], problems),
        minVersion,
        maxVersion: maximum,
        cipherSuites: cipherSuitesFromXds(parameters?.cipher_suites ?? [], problems),
      };
    }
  });
}

function versionFromXds(
  version: Decoded<typeof TlsParameters>['tls_minimum_protocol_version'] | undefined,
  auto: TlsCommon['minVersion'],
  which: string,
  problems: Problems,
): TlsCommon['minVersion'] {
  switch (version) {
    case undefined:
    case 'TLS_AUTO':
      return auto;
    case 'TLSv1_2':
      return 'TLSv1.2';
    case 'TLSv1_3':
      return 'TLSv1.3';
    default:
      problems.add(`${version} is not supported, at least TLS 1.2 is`, `tls_params.tls_${which}_protocol_version`);
      return auto;
  }
}

function alpnFromXds(protocols: readonly string[], problems: Problems): readonly string[] {
  return problems.each('alpn_protocols', protocols, (protocol) => {
    if (protocol === '' || protocol.length > 255) {
      problems.add('must have 1 to 255 bytes');
    }
    return protocol;
  });
}

/** Names by OpenSSL; TLS 1.3 suites cannot be chosen (as in Envoy). */
function cipherSuitesFromXds(suites: readonly string[], problems: Problems): readonly string[] {
  if (suites.length === 0) {
    return suites;
  }
  const known = new Set(getCiphers());
  return problems.each('tls_params.cipher_suites', suites, (suite) => {
    if (!known.has(suite.toLowerCase())) {
      problems.add(`the cipher suite ${JSON.stringify(suite)} is not supported`);
    }
    return suite;
  });
}

function validationFromXds(
  context: Decoded<typeof CommonTlsContext> | undefined,
  problems: Problems,
): TlsValidation | undefined {
  const {
    combined_validation_context: combined,
    validation_context_sds_secret_config: sds,
    validation_context: given,
  } = context ?? {};
  if (sds !== undefined) {
    const trustBundle = problems.within('validation_context_sds_secret_config', () => secretRefFromXds(sds, problems));
    return trustBundle === undefined ? undefined : { trustBundle, subjectAltNames: [], acceptUntrusted: false };
  }
  if (given !== undefined) {
    return problems.within('validation_context', () => {
      const trustBundle = givenRootsFromXds(given, problems);
      const checks = checksFromXds(given, problems);
      return trustBundle === undefined ? undefined : { trustBundle, ...checks };
    });
  }
  if (combined === undefined) {
    return undefined;
  }
  return problems.within('combined_validation_context', () => {
    const { default_validation_context: defaults, validation_context_sds_secret_config: secret } = combined;
    if (secret === undefined) {
      problems.add('required', 'validation_context_sds_secret_config');
      return undefined;
    }
    const trustBundle = problems.within('validation_context_sds_secret_config', () =>
      secretRefFromXds(secret, problems),
    );
    const checks =
      defaults === undefined
        ? { subjectAltNames: [], acceptUntrusted: false }
        : problems.within('default_validation_context', () => {
            if (defaults.trusted_ca !== undefined || defaults.system_root_certs !== undefined) {
              problems.add('not supported beside a secret, which brings its own', 'trusted_ca');
            }
            return checksFromXds(defaults, problems);
          });
    return trustBundle === undefined ? undefined : { trustBundle, ...checks };
  });
}

/** What is asked of a peer besides its authority. */
function checksFromXds(
  context: Decoded<typeof CertificateValidationContext>,
  problems: Problems,
): Omit<TlsValidation, 'trustBundle'> {
  const { crl } = context;
  const revoked = crl && problems.within('crl', () => givenRevocationListsFromXds(crl, problems));
  const pins = certificatePinsFromXds(context, problems);
  return {
    subjectAltNames: subjectAltNamesFromXds(context, problems),
    acceptUntrusted: context.trust_chain_verification === 'ACCEPT_UNTRUSTED',
    ...(revoked === undefined ? {} : { revoked }),
    ...(pins === undefined ? {} : { pins }),
  };
}

function subjectAltNamesFromXds(
  context: Decoded<typeof CertificateValidationContext>,
  problems: Problems,
): TlsValidation['subjectAltNames'] {
  const matches = problems.each(
    'match_typed_subject_alt_names',
    context.match_typed_subject_alt_names,
    ({ san_type: type, matcher }): SubjectAltNameMatch | undefined => {
      // A pattern for one type of name must not match a name of another type.
      if (type === 'SAN_TYPE_UNSPECIFIED' || type === 'OTHER_NAME') {
        problems.add(`${type} is not supported`, 'san_type');
        return undefined;
      }
      if (matcher === undefined) {
        problems.add('required', 'matcher');
        return undefined;
      }
      const match = problems.within('matcher', () => stringMatchFromXds(matcher, problems));
      return match === undefined ? undefined : { type, match };
    },
  );
  return present(matches);
}

function secretRefFromXds(config: Decoded<typeof SdsSecretConfig>, problems: Problems): SecretRef | undefined {
  if (config.name === '') {
    problems.add('required', 'name');
  }
  const source = problems.within('sds_config', () => secretSourceFromXds(config.sds_config, problems));
  return source === undefined ? undefined : { source, name: config.name };
}

function secretSourceFromXds(
  source: Decoded<typeof ConfigSource> | undefined,
  problems: Problems,
): 'local' | 'ads' | undefined {
  if (source?.ads !== undefined) {
    return 'ads';
  }
  const api = source?.api_config_source;
  if (api !== undefined) {
    const [service] = api.grpc_services;
    if (
      api.api_type === 'GRPC' &&
      api.grpc_services.length === 1 &&
      service?.envoy_grpc?.cluster_name === LOCAL_SDS_CLUSTER
    ) {
      return 'local';
    }
  }
  problems.add(`secrets come by ads, or by gRPC from the cluster ${LOCAL_SDS_CLUSTER} (the proxy's own identity)`);
  return undefined;
}
