/**
 * The time that one try has, which its upstream is told: the per-try timeout where it is the shorter, but the whole time where requests are hedged, as a try goes on then.
 * @returns milliseconds; 0: without end, as in the parameters.
 */
export function tryTimeMs(timeoutMs: number, perTryMs: number, hedges: boolean): number {
  const isShorter = perTryMs > 0 && (timeoutMs === 0 || perTryMs < timeoutMs);
  return isShorter && !hedges ? perTryMs : timeoutMs;
}
