import type { Traffic } from '@weft/admin-api';
import type { Rates } from '@weft/telemetry';

/** As the admin API shows it; figures rounded to what they are worth. */
export function trafficOf(rates: Rates): Traffic {
  return {
    requestsPerSecond: round(rates.requestsPerSecond),
    errorsPerSecond: round(rates.errorsPerSecond),
    successRate: rates.successRate === null ? null : Math.round(rates.successRate * 10_000) / 10_000,
    requests: Math.max(rates.issued, rates.succeeded + rates.failed),
    errors: rates.failed,
    ...(rates.tcp === undefined
      ? {}
      : {
          tcp: {
            ...rates.tcp,
            connectionsPerSecond: round(rates.tcp.connectionsPerSecond),
            bytesPerSecond: Math.round(rates.tcp.bytesPerSecond),
          },
        }),
  };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
