import { coversHost } from '../../format/hosts.ts';
import { Place } from '../../place.ts';
import type { Violation } from '../../violation.ts';
import { splitHost } from './host-with-namespace.ts';
import { warnOfDuplicates } from './istio-checks.ts';
import type { Sidecar } from './sidecar.ts';

/** Whether everything that `narrow` stands for is in `wide`. */
function covers(wide: string, narrow: string): boolean {
  const [a, b] = [splitHost(wide), splitHost(narrow)];
  return a.namespace !== '~' && (a.namespace === '*' || a.namespace === b.namespace) && coversHost(a.host, b.host);
}

/** Hosts that another entry of the same listener covers; fields that do nothing. */
export function warnOfSidecar({ spec }: Sidecar): Violation[] {
  const root = Place.root();
  const place = root.at('spec');
  for (const [index, { hosts, port }] of (spec?.egress ?? []).entries()) {
    const here = place.at('egress', index);
    warnOfDuplicates(here.at('hosts'), hosts, 'Name each host once.');
    for (const [at, host] of hosts.entries()) {
      if (splitHost(host).namespace === '~' && hosts.length > 1) {
        here
          .at('hosts', at)
          .conflict('`~` (nothing) stands beside other hosts, which count', 'Remove it, or the others.');
      }
      const wider = hosts.find((other) => other !== host && covers(other, host));
      if (wider !== undefined) {
        here.at('hosts', at).conflict(`${wider} covers it already`, 'Remove it, or the wider one.');
      }
    }
    if (port?.targetPort !== undefined) {
      here.at('port', 'targetPort').forbidden('the field does nothing in a Sidecar', 'Remove it.');
    }
  }
  for (const [index, { port }] of (spec?.ingress ?? []).entries()) {
    if (port.targetPort !== undefined) {
      place.at('ingress', index, 'port', 'targetPort').forbidden('the field does nothing in a Sidecar', 'Remove it.');
    }
  }
  return root.violations;
}
