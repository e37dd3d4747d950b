import type { TlsFacts } from '../stream-info.ts';

/**
 * How long a connection may live, milliseconds; 0 = as long as it likes. One with TLS ends with the certificate that ends first: who held it must
 * show another one.
 * @param configuredMs the limit of the configuration, 0 = none.
 * @param nowMs wall clock.
 */
export function lifetimeMs(configuredMs: number, tls: TlsFacts | undefined, nowMs: number): number {
  if (tls === undefined || tls.notAfterMs === Number.POSITIVE_INFINITY) {
    return configuredMs;
  }
  const left = Math.max(1, tls.notAfterMs - nowMs);
  return configuredMs > 0 ? Math.min(configuredMs, left) : left;
}
