import type { X509Certificate } from 'node:crypto';
import { parseCertificate, splitPem } from '@weft/identity';
import type { JsonObject } from '../runtime-config/wire/schema.ts';
import type { AdminContext } from './admin-context.ts';

const DAY_MS = 86_400_000;

/** `envoy.admin.v3.Certificates` of the proxy's own identity; no key material. */
export function certificatesJson(context: AdminContext): JsonObject {
  const svid = context.identityStatus()?.svid;
  return {
    certificates:
      svid === undefined
        ? []
        : [{ ca_cert: detailsOf(context.trustBundlePem()), cert_chain: detailsOf(svid.chainPem) }],
  };
}

/** Each certificate once: the roots of the file mostly come by ADS as well. */
function detailsOf(pem: string): JsonObject[] {
  const certificates = new Map(
    splitPem(pem, 'CERTIFICATE')
      .map(parseCertificate)
      .map((certificate) => [certificate.fingerprint256, certificate]),
  );
  return [...certificates.values()].map((certificate) => {
    return {
      path: '<inline>',
      serial_number: certificate.serialNumber.toLowerCase(),
      subject_alt_names: subjectAltNames(certificate),
      days_until_expiration: String(Math.max(0, Math.floor((certificate.validToDate.getTime() - Date.now()) / DAY_MS))),
      valid_from: certificate.validFromDate.toISOString(),
      expiration_time: certificate.validToDate.toISOString(),
    };
  });
}

function subjectAltNames(certificate: X509Certificate): JsonObject[] {
  return (certificate.subjectAltName ?? '')
    .split(', ')
    .filter((entry) => entry !== '')
    .map((entry) => {
      const [type = '', ...rest] = entry.split(':');
      return { [type.toLowerCase().replaceAll(' ', '_')]: rest.join(':') };
    });
}
