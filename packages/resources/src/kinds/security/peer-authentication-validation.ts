import { checkSelectorLabels } from '../../format/labels.ts';
import { isPort } from '../../format/ports.ts';
import { Place } from '../../place.ts';
import type { Violation } from '../../violation.ts';
import type { PeerAuthentication } from './peer-authentication.ts';

export function validatePeerAuthentication({ spec = {} }: PeerAuthentication): Violation[] {
  const root = Place.root();
  const place = root.at('spec');
  const labels = spec.selector?.matchLabels ?? {};
  checkSelectorLabels(place.at('selector', 'matchLabels'), labels);
  if (spec.portLevelMtls !== undefined && Object.keys(labels).length === 0) {
    place
      .at('portLevelMtls')
      .forbidden('portLevelMtls requires selector', 'Add selector.matchLabels: port numbers are those of workloads.');
  }
  for (const port of Object.keys(spec.portLevelMtls ?? {})) {
    if (!/^\d+$/.test(port) || !isPort(Number(port))) {
      place
        .at('portLevelMtls', port)
        .invalid(port, 'port must be between 1-65535', 'Use the number of a port of the workload.');
    }
  }
  return root.violations;
}
