import type { IstioServerTls } from './istio-gateway.ts';

const fields = ['caCrl', 'verifyCertificateSpki', 'verifyCertificateHash'] as const;

/** Fields that say whom a server lets in, in a mode in which it asks nobody for a certificate. */
export function clientChecksInVain(tls: IstioServerTls): readonly string[] {
  const asks = ['MUTUAL', 'OPTIONAL_MUTUAL', 'ISTIO_MUTUAL'].includes(tls.mode ?? '');
  return asks ? [] : fields.filter((field) => (tls[field]?.length ?? 0) > 0);
}
