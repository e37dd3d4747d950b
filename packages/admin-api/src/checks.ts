/** One thing that was looked at. */
export interface CheckResult {
  /** Stable identifier: `proxies-connected`. */
  readonly id: string;
  /** What was looked at, one sentence. */
  readonly title: string;
  readonly outcome: 'ok' | 'warning' | 'failed';
  /** What was found. */
  readonly message: string;
  /** How to mend it; absent when it is ok. */
  readonly fix?: string;
}

export interface CheckList {
  readonly checks: readonly CheckResult[];
}
