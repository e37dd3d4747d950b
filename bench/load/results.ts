import type { CaseResult, SkippedCase } from './case-result.ts';
import type { GarbageResult } from './garbage.ts';
import type { MemoryResult } from './memory.ts';
import type { PropagationResult } from './propagation.ts';
import type { ProxyStartResult } from './proxy-start.ts';
import type { StartUpResult } from './start-up.ts';

/** What `--json` writes. A benchmark that was not asked for has no field. */
export interface Results {
  readonly machine: string;
  readonly cases: CaseResult[];
  /** Proxies that could not take part in a case, and why. */
  readonly skipped: SkippedCase[];
  /** Benchmarks that ended with an error. */
  readonly failed: { readonly name: string; readonly reason: string }[];
  garbage?: GarbageResult;
  memory?: MemoryResult;
  propagation?: PropagationResult;
  proxyStart?: ProxyStartResult;
  startUp?: StartUpResult;
}
