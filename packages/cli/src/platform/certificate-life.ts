import { X509Certificate } from 'node:crypto';

/** When the first certificate of a PEM text begins and ends, milliseconds since the Unix epoch; undefined when it is unreadable. */
export function certificateOf(pem: string): { readonly notBefore: number; readonly notAfter: number } | undefined {
  try {
    const certificate = new X509Certificate(pem);
    return { notBefore: certificate.validFromDate.getTime(), notAfter: certificate.validToDate.getTime() };
  } catch {
    return undefined;
  }
}
