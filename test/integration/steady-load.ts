import { Agent } from 'node:http';
import { type ProxiedResponse, requestThroughProxy } from './http-proxy-request.ts';

/** What a load has seen so far. */
export interface LoadCounts {
  sent: number;
  succeeded: number;
  /** Status and body, or the error, of the first failures. */
  readonly failures: string[];
}

/** A load that goes on until it is stopped. */
export interface SteadyLoad {
  readonly counts: LoadCounts;
  /** Ends the load and waits for what is in flight. */
  stop(): Promise<LoadCounts>;
}

const maxKeptFailures = 20;

/**
 * Sends requests at a fixed rate through a sidecar's HTTP proxy, on kept-alive connections, whether earlier ones have been answered
 * or not. A request fails unless its status is 200.
 */
export function startSteadyLoad(options: {
  readonly proxyPort: number;
  readonly url: string;
  readonly requestsPerSecond: number;
  readonly onResponse?: (response: ProxiedResponse) => void;
}): SteadyLoad {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const counts: LoadCounts = { sent: 0, succeeded: 0, failures: [] };
  const inFlight = new Set<Promise<void>>();
  const fail = (text: string): void => {
    if (counts.failures.length < maxKeptFailures) {
      counts.failures.push(`request ${counts.sent}: ${text}`);
    }
  };
  const send = (): void => {
    counts.sent += 1;
    const job = requestThroughProxy(options.proxyPort, options.url, { agent })
      .then((response) => {
        if (response.status === 200) {
          counts.succeeded += 1;
          options.onResponse?.(response);
        } else {
          fail(`${response.status} ${response.body.slice(0, 200)}`);
        }
      })
      .catch((error: unknown) => fail(String(error)))
      .finally(() => void inFlight.delete(job));
    inFlight.add(job);
  };
  const started = performance.now();
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - started) / 1000) * options.requestsPerSecond);
    while (counts.sent < due) {
      send();
    }
  }, 5);
  return {
    counts,
    async stop() {
      clearInterval(timer);
      await Promise.all(inFlight);
      agent.destroy();
      return counts;
    },
  };
}

/**
 * Sends `total` requests, `concurrency` at a time, and calls `onResponse` with each answer.
 * @throws whatever a request fails with.
 */
export async function sendMany(options: {
  readonly proxyPort: number;
  readonly url: string;
  readonly total: number;
  readonly concurrency: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly onResponse: (response: ProxiedResponse) => void;
}): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: options.concurrency });
  let left = options.total;
  const worker = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const response = await requestThroughProxy(options.proxyPort, options.url, {
        agent,
        ...(options.headers === undefined ? {} : { headers: options.headers }),
      });
      options.onResponse(response);
    }
  };
  try {
    await Promise.all(Array.from({ length: options.concurrency }, worker));
  } finally {
    agent.destroy();
  }
}
