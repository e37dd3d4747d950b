import type { TcpTraffic, Traffic } from './traffic.ts';

/**
 * A rate as the CLI and the first page show it: `4.0/s` (requests), `1.2 kB/s` (bytes of TCP) or, where no bytes are told, `0.5 conn/s`
 * (TCP connections opened), `4.0/s + 1.2 kB/s` where both are carried.
 */
export function rateText(traffic: Traffic): string {
  const { tcp, requestsPerSecond, requests } = traffic;
  const ofRequests = `${requestsPerSecond.toFixed(1)}/s`;
  if (tcp === undefined) {
    return ofRequests;
  }
  return requests > 0 ? `${ofRequests} + ${tcpRateText(tcp)}` : tcpRateText(tcp);
}

function tcpRateText({ bytesPerSecond, connectionsPerSecond }: TcpTraffic): string {
  if (bytesPerSecond === 0) {
    return `${connectionsPerSecond.toFixed(1)} conn/s`;
  }
  const [size, unit] =
    bytesPerSecond < 1e3
      ? [bytesPerSecond, 'B']
      : bytesPerSecond < 1e6
        ? [bytesPerSecond / 1e3, 'kB']
        : bytesPerSecond < 1e9
          ? [bytesPerSecond / 1e6, 'MB']
          : [bytesPerSecond / 1e9, 'GB'];
  return `${size < 10 && unit !== 'B' ? size.toFixed(1) : Math.round(size)} ${unit}/s`;
}

/** What came of the traffic: a share of successes, or where only TCP is carried and nothing failed, `2 open`. */
export interface Outcome {
  readonly text: string;
  /** 0 to 1; null where there is nothing to measure by. */
  readonly share: number | null;
}

/** @param none what stands where there was no traffic. */
export function outcomeOf({ successRate, tcp }: Traffic, none: string): Outcome {
  const attempts = tcp === undefined ? 0 : tcp.connections + tcp.failed;
  const share =
    successRate ?? (tcp !== undefined && tcp.failed > 0 ? Math.min(tcp.connections, attempts) / attempts : null);
  if (share !== null) {
    // Rounded down, so that 100 % means that nothing failed.
    return { text: `${(Math.floor(share * 1000) / 10).toFixed(1)} %`, share };
  }
  return { text: tcp === undefined ? none : `${tcp.open} open`, share: null };
}
