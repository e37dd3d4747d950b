import type { Place } from '../place.ts';

const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Longest duration that Go's 64-bit nanoseconds hold: about 292 years. */
const durationMaxMs = 9_223_372_036_854;
const part = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/y;

/**
 * Milliseconds of a duration as Kubernetes and Istio write it (`1h30m`, `1.5s`, `250ms`, `0`), may be negative;
 * undefined for anything else.
 */
export function parseDurationMs(text: string): number | undefined {
  const sign = text.startsWith('-') ? -1 : 1;
  const rest = text.replace(/^[-+]/, '');
  if (rest === '0') {
    return 0;
  }
  let total = 0;
  part.lastIndex = 0;
  while (part.lastIndex < rest.length) {
    const at = part.exec(rest);
    if (at === null) {
      return undefined;
    }
    total += Number(at[1]) * (unitMs[at[2] ?? ''] ?? Number.NaN);
  }
  return rest === '' || !(total <= durationMaxMs) ? undefined : sign * total;
}

/** Reports what is no duration, or shorter than a millisecond. */
export function checkDuration(place: Place, text: string | undefined): void {
  if (text === undefined) {
    return;
  }
  const ms = parseDurationMs(text);
  if (ms === undefined || ms < 1) {
    place.invalid(text, 'must be a valid duration greater than 1ms', 'Write it as 5s, 250ms or 1h30m.');
  }
}

/** As {@link checkDuration}, but zero is allowed. */
export function checkDurationOrZero(place: Place, text: string | undefined): void {
  if (text !== undefined && parseDurationMs(text) !== 0) {
    checkDuration(place, text);
  }
}
