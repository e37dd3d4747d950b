import { isIpAddress } from '../../format/address.ts';
import { Place } from '../../place.ts';
import type { Violation } from '../../violation.ts';
import { checkBackendRef, checkParentRefs, checkRuleNames } from './route-checks.ts';
import type { KubeTcpRoute, KubeTlsRoute } from './stream-routes.ts';

function checkCommon(place: Place, { parentRefs, rules }: KubeTcpRoute['spec']): void {
  checkParentRefs(place.at('parentRefs'), parentRefs);
  checkRuleNames(place.at('rules'), rules);
  for (const [index, { backendRefs }] of rules.entries()) {
    for (const [at, backend] of backendRefs.entries()) {
      checkBackendRef(place.at('rules', index, 'backendRefs', at), backend);
    }
  }
}

export function validateTcpRoute({ spec }: KubeTcpRoute): Violation[] {
  const root = Place.root();
  checkCommon(root.at('spec'), spec);
  return root.violations;
}

export function validateTlsRoute({ spec }: KubeTlsRoute): Violation[] {
  const root = Place.root();
  const place = root.at('spec');
  checkCommon(place, spec);
  for (const [index, host] of spec.hostnames.entries()) {
    if (isIpAddress(host)) {
      place
        .at('hostnames', index)
        .invalid(host, 'an address, which no client sends as server name', 'Use a host name (RFC 6066 §3).');
    }
  }
  return root.violations;
}
