import { request } from 'node:http';
import { connect } from 'node:net';
import { type Clock, MeshError, type Timer } from '@weft/base';
import type { WorkloadProbe } from '@weft/resources';

const loopback = '127.0.0.1';
const defaultPeriodSec = 10;
const defaultFailureThreshold = 3;

/**
 * Why `weft run` cannot check a workload in this way; undefined: it can.
 * A program that the API names is not run: whoever may write WorkloadGroups would run programs on the machines of others.
 */
export function probeProblem(probe: WorkloadProbe): string | undefined {
  if (probe.exec !== undefined) {
    return 'probe.exec: commands from the API are not run on this machine';
  }
  if (probe.grpc !== undefined) {
    return 'probe.grpc is not supported';
  }
  return probe.httpGet?.scheme === 'HTTPS' ? 'probe.httpGet.scheme: HTTPS is not supported' : undefined;
}

/** Checks a workload again and again, and tells when what it found is to be believed. */
export class HealthProbe {
  readonly #probe: WorkloadProbe;
  readonly #clock: Clock;
  readonly #onChange: (healthy: boolean) => void;
  #healthy = false;
  /** How often in a row it was found to be otherwise. */
  #otherwise = 0;
  #timer: Timer | undefined;
  #stopped = false;

  /** @param onChange told of the first success, too: a workload that nobody has checked counts as not healthy. Must not throw. */
  constructor(probe: WorkloadProbe, clock: Clock, onChange: (healthy: boolean) => void) {
    this.#probe = probe;
    this.#clock = clock;
    this.#onChange = onChange;
  }

  start(): void {
    this.#schedule(this.#probe.initialDelaySeconds ?? 0);
  }

  /** Nothing is told afterwards. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #schedule(seconds: number): void {
    this.#timer = this.#clock.setTimeout(() => void this.#check(), seconds * 1_000, { unref: true });
  }

  async #check(): Promise<void> {
    const succeeded = await probeOnce(this.#probe);
    if (this.#stopped) {
      return;
    }
    this.#otherwise = succeeded === this.#healthy ? 0 : this.#otherwise + 1;
    const { successThreshold, failureThreshold, periodSeconds } = this.#probe;
    if (
      this.#otherwise >=
      ((succeeded ? successThreshold : failureThreshold) || (succeeded ? 1 : defaultFailureThreshold))
    ) {
      this.#healthy = succeeded;
      this.#otherwise = 0;
      this.#onChange(succeeded);
    }
    this.#schedule(periodSeconds || defaultPeriodSec);
  }
}

/** One check; never rejects. */
function probeOnce({ httpGet, tcpSocket, timeoutSeconds }: WorkloadProbe): Promise<boolean> {
  const timeout = (timeoutSeconds || 1) * 1_000;
  return new Promise((resolve) => {
    if (httpGet !== undefined) {
      const headers = (httpGet.httpHeaders ?? []).map(({ name = '', value = '' }) => [name, value] as const);
      const { host = loopback, port, path = '/' } = httpGet;
      const outgoing = request({ host, port, path, headers: Object.fromEntries(headers), timeout, agent: false });
      outgoing.on('response', (response) => {
        response.resume();
        resolve((response.statusCode ?? 0) >= 200 && (response.statusCode ?? 0) < 400);
      });
      outgoing.on('timeout', () => outgoing.destroy(new MeshError('TIMEOUT', 'the workload did not answer')));
      outgoing.on('error', () => resolve(false));
      outgoing.end();
      return;
    }
    const socket = connect({ host: tcpSocket?.host ?? loopback, port: tcpSocket?.port ?? 0, timeout });
    const settle = (open: boolean): void => {
      socket.destroy();
      resolve(open);
    };
    socket.on('connect', () => settle(true));
    socket.on('timeout', () => settle(false));
    socket.on('error', () => settle(false));
  });
}
