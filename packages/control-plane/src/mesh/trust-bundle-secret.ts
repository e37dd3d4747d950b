import type { TrustBundle } from '@weft/identity';
import { type EncodedResource, encodeResource } from '@weft/xds-server';
import { typeUrls } from '@weft/xds-types';
import { DataSource } from '@weft/xds-types/envoy/config/core/v3/base.ts';
import { CertificateValidationContext } from '@weft/xds-types/envoy/extensions/transport_sockets/tls/v3/common.ts';
import { Secret } from '@weft/xds-types/envoy/extensions/transport_sockets/tls/v3/secret.ts';

/** Name by which proxies ask for the roots they are to trust. */
const trustBundleSecretName = 'ROOTCA';

/** The trust bundle as the SDS resource `ROOTCA`: roots only, no key material. */
export function trustBundleSecret(bundle: TrustBundle): EncodedResource {
  const empty = new Uint8Array();
  const trustedCa: DataSource = {
    ...DataSource.decode(empty),
    specifier: { $case: 'inlineBytes', value: Buffer.from(bundle.pem) },
  };
  const secret: Secret = {
    name: trustBundleSecretName,
    type: { $case: 'validationContext', value: { ...CertificateValidationContext.decode(empty), trustedCa } },
  };
  return encodeResource({ typeUrl: typeUrls.secret, name: secret.name, value: Secret.encode(secret).finish() });
}
