import type { CaseResult } from './case-result.ts';

/**
 * Adds to each row what it is to Envoy's and to HAProxy's; where one of them was measured in several ways, to its best.
 * @param better which end of the measure is good.
 */
export function withRatios(
  rows: readonly CaseResult[],
  measure: (row: CaseResult) => number,
  better: 'lower' | 'higher',
): readonly CaseResult[] {
  const best = (proxy: string): number | undefined => {
    const values = rows.filter((row) => row.proxy === proxy).map(measure);
    return values.length === 0 ? undefined : better === 'lower' ? Math.min(...values) : Math.max(...values);
  };
  const envoy = best('envoy');
  const haproxy = best('haproxy');
  return rows.map((row) => ({
    ...row,
    ...(envoy === undefined ? {} : { ratioToEnvoy: measure(row) / envoy }),
    ...(haproxy === undefined ? {} : { ratioToHaproxy: measure(row) / haproxy }),
  }));
}
