import type { GatewayClientCertificates, GatewayTls } from '@weft/ir';
import type { IstioServerTls } from '@weft/resources';

const versions: Readonly<Record<string, GatewayTls['minVersion']>> = {
  TLSV1_0: '1.0',
  TLSV1_1: '1.1',
  TLSV1_2: '1.2',
  TLSV1_3: '1.3',
};

/** Versions and cipher suites of a server. */
export function tlsParameters(tls: IstioServerTls): Pick<GatewayTls, 'minVersion' | 'maxVersion' | 'cipherSuites'> {
  return {
    minVersion: versions[tls.minProtocolVersion ?? ''],
    maxVersion: versions[tls.maxProtocolVersion ?? ''],
    cipherSuites: tls.cipherSuites ?? [],
  };
}

/** Whether a server asks for what cannot be told of certificates yet: then one that is revoked, or not meant, would get in. */
export function asksTooMuch(tls: IstioServerTls): boolean {
  const pins = [...(tls.verifyCertificateSpki ?? []), ...(tls.verifyCertificateHash ?? [])];
  return pins.length > 0 || (tls.caCrl ?? '') !== '';
}

/** TLS by files of the machine; undefined: they are not named, or something is asked for that cannot be done. */
export function tlsOfFiles(tls: IstioServerTls): GatewayTls | undefined {
  const single = { serverCertificate: tls.serverCertificate, privateKey: tls.privateKey };
  const files = (tls.tlsCertificates ?? [single]).flatMap(({ serverCertificate = '', privateKey = '' }) =>
    serverCertificate === '' || privateKey === ''
      ? []
      : [{ kind: 'files' as const, certificatePath: serverCertificate, keyPath: privateKey }],
  );
  const client = clientsOf(tls);
  return files.length === 0 || client === undefined || asksTooMuch(tls)
    ? undefined
    : { certificates: files, client, ...tlsParameters(tls) };
}

function clientsOf(tls: IstioServerTls): GatewayClientCertificates | undefined {
  if (tls.mode === 'SIMPLE') {
    return { kind: 'none' };
  }
  const path = tls.caCertificates ?? '';
  return (tls.mode !== 'MUTUAL' && tls.mode !== 'OPTIONAL_MUTUAL') || path === ''
    ? undefined
    : {
        kind: 'verified',
        required: tls.mode === 'MUTUAL',
        roots: { kind: 'file', path },
        subjectAltNames: tls.subjectAltNames ?? [],
      };
}
