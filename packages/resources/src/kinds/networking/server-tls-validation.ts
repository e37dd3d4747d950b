import type { Place } from '../../place.ts';
import type { IstioServerTls } from './istio-gateway.ts';

const files = ['serverCertificate', 'privateKey', 'caCertificates'] as const;
const versions = ['TLSV1_0', 'TLSV1_1', 'TLSV1_2', 'TLSV1_3'];

/** 32 bytes in base64. */
const spkiPattern = /^[A-Za-z0-9+/]{43}=$/;
/** 32 bytes in hexadecimal, as they are or with colons between them. */
const hashPattern = /^([0-9a-fA-F]{64}|[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){31})$/;

function isSet(value: string | undefined): value is string {
  return value !== undefined && value !== '';
}

function checkSources(place: Place, tls: IstioServerTls): void {
  if (tls.credentialNames === undefined) {
    return;
  }
  if (tls.tlsCertificates !== undefined) {
    place
      .at('tlsCertificates')
      .conflict('only one of credentialNames or tlsCertificates can be set', 'Remove one of the two.');
  }
  if (tls.credentialName !== undefined) {
    place
      .at('credentialNames')
      .conflict('only one of credentialName or credentialNames can be set', 'Remove one of the two.');
  }
}

/** Certificates for modes in which the server shows one of its own. */
function checkCertificates(place: Place, tls: IstioServerTls): void {
  const mode = tls.mode ?? 'PASSTHROUGH';
  if (isSet(tls.credentialName) || tls.credentialNames !== undefined) {
    return;
  }
  if (tls.tlsCertificates !== undefined) {
    for (const [index, certificate] of tls.tlsCertificates.entries()) {
      for (const field of ['serverCertificate', 'privateKey'] as const) {
        if (!isSet(certificate[field])) {
          place.at('tlsCertificates', index, field).required(`mode ${mode} needs it`, 'Name the file.');
        }
      }
    }
  } else {
    for (const field of ['serverCertificate', 'privateKey'] as const) {
      if (!isSet(tls[field])) {
        place.at(field).required(`mode ${mode} needs it`, 'Name the file, or name a Secret by credentialName.');
      }
    }
  }
  const verifies = mode === 'MUTUAL' || mode === 'OPTIONAL_MUTUAL';
  const authorities = [
    tls.caCertificates,
    tls.caCertCredentialName,
    ...(tls.tlsCertificates ?? []).map((c) => c.caCertificates),
  ];
  if (verifies && !authorities.some(isSet)) {
    place
      .at('caCertificates')
      .required(`mode ${mode} needs it, to check clients by`, 'Name the file, or name a Secret by credentialName.');
  }
}

function checkMeshMode(place: Place, tls: IstioServerTls): void {
  for (const field of [...files, 'credentialName', 'caCertCredentialName', 'caCrl'] as const) {
    if (isSet(tls[field])) {
      place
        .at(field)
        .forbidden('mode ISTIO_MUTUAL uses the certificates of the mesh', 'Remove it, or use mode MUTUAL.');
    }
  }
  for (const field of ['credentialNames', 'tlsCertificates'] as const) {
    if (tls[field] !== undefined) {
      place
        .at(field)
        .forbidden('mode ISTIO_MUTUAL uses the certificates of the mesh', 'Remove it, or use mode MUTUAL.');
    }
  }
}

function checkHashes(place: Place, tls: IstioServerTls): void {
  const forms = [
    ['verifyCertificateSpki', spkiPattern, 'Write the base64 of 32 bytes, which ends with `=`.'],
    ['verifyCertificateHash', hashPattern, 'Write 64 hexadecimal digits, or 32 pairs with colons between them.'],
  ] as const;
  for (const [field, pattern, fix] of forms) {
    for (const [index, hash] of (tls[field] ?? []).entries()) {
      if (!pattern.test(hash)) {
        place.at(field, index).invalid(hash, 'not a SHA-256 hash', fix);
      }
    }
  }
}

export function checkServerTls(place: Place, tls: IstioServerTls): void {
  checkSources(place, tls);
  checkHashes(place, tls);
  const [oldest, newest] = [tls.minProtocolVersion, tls.maxProtocolVersion].map((version) =>
    versions.indexOf(version ?? ''),
  );
  if (oldest !== undefined && newest !== undefined && newest >= 0 && oldest > newest) {
    place
      .at('maxProtocolVersion')
      .conflict(
        `older than minProtocolVersion ${tls.minProtocolVersion}`,
        'Let it be the same version or a newer one.',
      );
  }
  switch (tls.mode ?? 'PASSTHROUGH') {
    case 'ISTIO_MUTUAL':
      checkMeshMode(place, tls);
      break;
    case 'SIMPLE':
    case 'MUTUAL':
    case 'OPTIONAL_MUTUAL':
      checkCertificates(place, tls);
      break;
    default:
  }
}
