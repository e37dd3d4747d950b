import type { Clock, Timer } from '@weft/base';
import type { WorkloadProbe } from '@weft/resources';
import { saysServingByGrpc } from './grpc-check.ts';
import { answersHttp, httpCheckProblem } from './http-check.ts';
import { acceptsConnections } from './tcp-check.ts';

const loopback = '127.0.0.1';
const defaultPeriodSec = 10;
const defaultFailureThreshold = 3;
const defaultTimeoutSec = 1;

/**
 * Why `weft run` cannot check a workload in this way; undefined: it can.
 * A program that the API names is not run: whoever may write WorkloadGroups would run programs on the machines of others.
 */
export function probeProblem(probe: WorkloadProbe): string | undefined {
  if (probe.exec !== undefined) {
    return 'probe.exec: commands from the API are not run on this machine';
  }
  return probe.httpGet === undefined ? undefined : httpCheckProblem(probe.httpGet);
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
    const succeeded = await probeOnce(this.#probe, this.#clock);
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

/** One check, answer and all within the time that the probe gives it; never rejects. */
async function probeOnce(probe: WorkloadProbe, clock: Clock): Promise<boolean> {
  const deadline = new AbortController();
  const timer = clock.setTimeout(() => deadline.abort(), (probe.timeoutSeconds || defaultTimeoutSec) * 1_000);
  try {
    return await check(probe, deadline.signal);
  } finally {
    timer.cancel();
  }
}

function check({ httpGet, tcpSocket, grpc }: WorkloadProbe, signal: AbortSignal): Promise<boolean> {
  if (httpGet !== undefined) {
    return answersHttp(httpGet, loopback, signal);
  }
  if (grpc !== undefined) {
    return saysServingByGrpc({ host: loopback, port: grpc.port ?? 0, service: grpc.service ?? '' }, signal);
  }
  return acceptsConnections({ host: tcpSocket?.host || loopback, port: tcpSocket?.port ?? 0, signal });
}
