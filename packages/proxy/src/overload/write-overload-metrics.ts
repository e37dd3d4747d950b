import { type Exposition, formatLabels } from '../stats/exposition.ts';
import { overloadActions, overloadResources } from './overload-config.ts';
import type { OverloadStatus } from './overload-manager.ts';

/** Envoy's `overload.<action>.active`, `.scale_percent` and `overload.<resource>.pressure`, and what each action did. */
export function writeOverloadMetrics(out: Exposition, { pressure, scale, taken }: OverloadStatus): void {
  out.family('envoy_overload_pressure', 'gauge', 'Use of a resource, percent of its limit.');
  for (const resource of overloadResources) {
    const labels = formatLabels([['envoy_overload_resource', resource]]);
    out.sample('envoy_overload_pressure', labels, Math.round(pressure[resource] * 100));
  }
  const perAction = (
    name: string,
    type: 'counter' | 'gauge',
    help: string,
    value: (action: string) => number,
  ): void => {
    out.family(name, type, help);
    for (const action of overloadActions) {
      out.sample(name, formatLabels([['envoy_overload_action', action]]), value(action));
    }
  };
  const of = (record: Readonly<Record<string, number>>, action: string): number => record[action] ?? 0;
  perAction('envoy_overload_active', 'gauge', 'Whether the action is taken to the full.', (action) =>
    of(scale, action) >= 1 ? 1 : 0,
  );
  perAction('envoy_overload_scale_percent', 'gauge', 'How far the action is taken.', (action) =>
    Math.round(of(scale, action) * 100),
  );
  perAction('envoy_overload_taken_total', 'counter', 'Connections and requests that the action met.', (action) =>
    of(taken, action),
  );
}
