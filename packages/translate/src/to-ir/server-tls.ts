import type { GatewayClientCertificates, GatewayTls } from '@weft/ir';
import { clientChecksInVain, type IstioServerTls } from '@weft/resources';

type VerifiedClients = Extract<GatewayClientCertificates, { kind: 'verified' }>;

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

/** What is asked of certificates of clients, in a mode in which there may be some. */
export function verifiedClients(tls: IstioServerTls, roots: VerifiedClients['roots']): VerifiedClients {
  const { subjectAltNames = [], caCrl = '', verifyCertificateHash = [], verifyCertificateSpki = [] } = tls;
  const certificates = verifyCertificateHash.map((hash) => hash.replaceAll(':', '').toLowerCase());
  return {
    kind: 'verified',
    required: tls.mode !== 'OPTIONAL_MUTUAL',
    roots,
    subjectAltNames,
    ...(caCrl === '' ? {} : { crlPath: caCrl }),
    ...(certificates.length + verifyCertificateSpki.length === 0
      ? {}
      : { pins: { certificates, keys: verifyCertificateSpki } }),
  };
}

/** TLS by files of the machine; undefined: they are not named, or clients are to be checked who are not asked. */
export function tlsOfFiles(tls: IstioServerTls): GatewayTls | undefined {
  const single = { serverCertificate: tls.serverCertificate, privateKey: tls.privateKey };
  const files = (tls.tlsCertificates ?? [single]).flatMap(({ serverCertificate = '', privateKey = '' }) =>
    serverCertificate === '' || privateKey === ''
      ? []
      : [{ kind: 'files' as const, certificatePath: serverCertificate, keyPath: privateKey }],
  );
  const client = clientsOf(tls);
  return files.length === 0 || client === undefined || clientChecksInVain(tls).length > 0
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
    : verifiedClients(tls, { kind: 'file', path });
}
