/** One proxy in one benchmark: medians over the rounds. The names of the fields are those of `--json`. */
export interface CaseResult {
  readonly name: CaseName;
  readonly proxy: string;
  /** What was chosen where a proxy was measured in several ways, such as the protocol between two sidecars. */
  readonly variant?: string;
  /** CPU, user and system, of all processes of the proxy for one unit of work: a request, a handshake, or 64 KiB of a TCP stream; microseconds. */
  readonly cpuUsPerRequest: number;
  /** Smallest and largest of the rounds. */
  readonly cpuUsSpread: readonly [number, number];
  readonly cpuUserUs: number;
  readonly cpuSystemUs: number;
  /** Units of work a second under full load, proxy on one core and everything else on the other. */
  readonly rps: number;
  readonly bytesPerCpuSecond?: number;
  readonly handshakesPerCpuSecond?: number;
  /** Latency at a fixed rate that does not wait for answers; milliseconds. */
  readonly p50Ms?: number;
  readonly p99Ms?: number;
  readonly p999Ms?: number;
  /** The same less that of a direct call in the same run. */
  readonly addedP50Ms?: number;
  readonly addedP99Ms?: number;
  /** One request at a time; milliseconds, and less that of a direct call. */
  readonly sequentialP50Ms?: number;
  readonly sequentialP99Ms?: number;
  readonly sequentialAddedP50Ms?: number;
  readonly sequentialAddedP99Ms?: number;
  /** Resident memory of all processes of the proxy right after the load, MB (2^20 bytes). */
  readonly rssMb: number;
  readonly errors: number;
  /**
   * To Envoy in the same run, in the measure of the bar: CPU per request for HTTP (lower is better), work per CPU second for TCP and handshakes
   * (higher is better).
   */
  readonly ratioToEnvoy?: number;
  /** The same to HAProxy. */
  readonly ratioToHaproxy?: number;
}

export const caseNames = [
  'http1-plain',
  'http1-mtls-pair',
  'http2-plain',
  'grpc-unary',
  'tcp-plain',
  'tcp-mtls',
  'tls-handshake',
] as const;
export type CaseName = (typeof caseNames)[number];

/** A proxy that could not be measured, and why. */
export interface SkippedCase {
  readonly name: CaseName;
  readonly proxy: string;
  readonly reason: string;
}

/** What one case brought. */
export interface CaseOutcome {
  readonly results: readonly CaseResult[];
  readonly skipped: readonly SkippedCase[];
}
