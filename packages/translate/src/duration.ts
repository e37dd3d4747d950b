const units: Readonly<Record<string, number>> = {
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
  us: 0.001,
  µs: 0.001,
  ns: 0.000_001,
};

/** Milliseconds of a duration as Istio's resources write it (`1h30m`, `1.5s`, `100ms`); undefined when it is not one. */
export function durationMs(text: string): number | undefined {
  const parts =
    text.match(/^(?:\d+(?:\.\d+)?(?:h|ms|m|us|µs|ns|s))+$/) && text.match(/\d+(?:\.\d+)?(?:h|ms|m|us|µs|ns|s)/g);
  if (parts === null) {
    return text === '0' ? 0 : undefined;
  }
  let sum = 0;
  for (const part of parts) {
    const unit = part.replace(/^[\d.]+/, '');
    sum += Number.parseFloat(part) * (units[unit] ?? 0);
  }
  return sum;
}
