import { typeUrls } from '@weft/xds-types';
import { DataSource } from '@weft/xds-types/envoy/config/core/v3/base.ts';
import { CertificateValidationContext } from '@weft/xds-types/envoy/extensions/transport_sockets/tls/v3/common.ts';
import { Secret as SecretMessage } from '@weft/xds-types/envoy/extensions/transport_sockets/tls/v3/secret.ts';
import { originOf } from '../origin.ts';
import type { MeshState } from '../state/mesh-state.ts';
import { caBundleObjects, caCertificatesOf, findCaObject } from '../to-ir/ca-bundle.ts';
import { create, type XdsMessage, xdsMessage } from './message.ts';

/** The secret with the certificates of authorities that a name of `caBundleName` stands for; undefined: it is another name, or there are none. */
export function caBundleMessage(state: MeshState, name: string): XdsMessage | undefined {
  const objects = (caBundleObjects(name) ?? []).flatMap((object) => {
    const found = findCaObject(state, object);
    return found === undefined || typeof caCertificatesOf(found) === 'string' ? [] : [found];
  });
  // Envoy takes a context without certificates for one that verifies nothing.
  return objects.length === 0
    ? undefined
    : state.memo.get(`ca-bundle|${name}`, objects, () => {
        const certificates = objects.flatMap(caCertificatesOf);
        const trustedCa = create(DataSource, {
          specifier: { $case: 'inlineString', value: [...new Set(certificates)].join('') },
        });
        const message = create(SecretMessage, {
          name,
          type: { $case: 'validationContext', value: create(CertificateValidationContext, { trustedCa }) },
        });
        return xdsMessage(typeUrls.secret, name, SecretMessage, message, objects.map(originOf));
      });
}
