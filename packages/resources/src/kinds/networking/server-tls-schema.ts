import { choice, flag, list, object, text } from '../../schema/fields.ts';

const versions = ['TLS_AUTO', 'TLSV1_0', 'TLSV1_1', 'TLSV1_2', 'TLSV1_3'] as const;

function certificateFiles() {
  return {
    serverCertificate: text('Path of the file with the certificate.'),
    privateKey: text('Path of the file with its private key.'),
    caCertificates: text('Path of the file with the authorities that certificates of clients come from.'),
  };
}

/** How a server speaks TLS with its clients (`ServerTLSSettings`). */
export function serverTls() {
  return object('How TLS is spoken with clients.', {
    httpsRedirect: flag('Answer requests in the clear with a redirection to HTTPS. Default false.'),
    mode: choice(
      'PASSTHROUGH: the backend speaks TLS, chosen by server name. SIMPLE: a certificate is shown. MUTUAL, OPTIONAL_MUTUAL: clients show one too, or may. ISTIO_MUTUAL: as MUTUAL, with the certificates of the mesh. AUTO_PASSTHROUGH: as PASSTHROUGH, to the service that the server name encodes.',
      ['PASSTHROUGH', 'SIMPLE', 'MUTUAL', 'AUTO_PASSTHROUGH', 'ISTIO_MUTUAL', 'OPTIONAL_MUTUAL'],
    ),
    ...certificateFiles(),
    caCrl: text('Path of the file with certificates that are revoked.'),
    credentialName: text('Name of a Secret with certificate, key and, for MUTUAL, `ca.crt`.'),
    credentialNames: list(
      'Names of Secrets with certificates of different kinds of keys, such as RSA and ECDSA.',
      text('Name of a Secret.'),
      { min: 1, max: 2 },
    ),
    caCertCredentialName: text(
      'Name of a Secret or ConfigMap with the authorities that certificates of clients come from.',
    ),
    tlsCertificates: list(
      'Files of certificates of different kinds of keys, such as RSA and ECDSA.',
      object('The files of one certificate.', certificateFiles()),
      { min: 1, max: 2 },
    ),
    subjectAltNames: list('Names of which the certificate of a client must have one.', text('A name.')),
    verifyCertificateSpki: list(
      'Hashes of keys of which a client must have one: base64 of the SHA-256 of the SPKI.',
      text('A hash.'),
    ),
    verifyCertificateHash: list(
      'Hashes of certificates of which a client must have one: SHA-256 in hexadecimal.',
      text('A hash, with or without colons.'),
    ),
    minProtocolVersion: choice('Oldest version of TLS. Default 1.2.', versions),
    maxProtocolVersion: choice('Newest version of TLS. Default 1.3.', versions),
    cipherSuites: list('Cipher suites of TLS 1.2 and older. Default: those of the proxy.', text('Name of a suite.')),
    insecureSkipVerify: flag('Whether certificates of clients go unchecked. Default false.'),
  });
}
