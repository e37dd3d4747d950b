import { Place } from '../../place.ts';
import type { Violation } from '../../violation.ts';
import { checkTargets } from '../gateway/policy-attachment.ts';
import { checkAbort, checkDelay, checkRetries } from '../networking/http-action-validation.ts';
import type { RouteActionPolicy } from './route-action-policy.ts';

/** `group/kind` of the routes that a policy can be for. */
const routeKinds: readonly string[] = [
  'gateway.networking.k8s.io/HTTPRoute',
  'gateway.networking.k8s.io/GRPCRoute',
  'networking.istio.io/VirtualService',
];

function checkFault(place: Place, { bandwidth, delay, abort }: NonNullable<RouteActionPolicy['spec']['fault']>): void {
  if (bandwidth === undefined && delay === undefined && abort === undefined) {
    place.required('fault has neither bandwidth nor delay nor abort', 'Add one of them.');
  }
  if (delay !== undefined) {
    checkDelay(place.at('delay'), delay);
  }
  if (abort !== undefined) {
    checkAbort(place.at('abort'), abort);
  }
}

export function validateRouteActionPolicy({ spec }: RouteActionPolicy): Violation[] {
  const root = Place.root();
  const place = root.at('spec');
  const { targetRefs, hedging, fault, retries } = spec;
  checkTargets(place.at('targetRefs'), targetRefs, 'route', 'rule');
  for (const [index, { group, kind }] of targetRefs.entries()) {
    const target = group === '' ? kind : `${group}/${kind}`;
    if (!routeKinds.includes(target)) {
      place.at('targetRefs', index, 'kind').unsupported(target, routeKinds);
    }
  }
  if (hedging === undefined && fault === undefined && retries === undefined) {
    place.required('the policy says nothing', 'Add hedging, fault or retries.');
  }
  if (fault !== undefined) {
    checkFault(place.at('fault'), fault);
  }
  if (retries !== undefined) {
    checkRetries(place.at('retries'), retries);
  }
  return root.violations;
}
