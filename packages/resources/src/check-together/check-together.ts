import type { KubeObject } from '../object.ts';
import { warningsFor } from '../validate-object.ts';
import { checkBackendTlsPolicies } from './backend-tls-policies.ts';
import { checkBackends } from './backends.ts';
import { checkCertificates } from './certificates.ts';
import { checkDelegates } from './delegates.ts';
import { checkDestinationRules } from './destination-rules.ts';
import { checkEndpointPolicies } from './endpoint-policies.ts';
import { type Finding, FindingList } from './finding.ts';
import { checkGateways } from './gateways.ts';
import { Inventory, type InventoryOptions } from './inventory.ts';
import { checkKeyPairs } from './key-pairs.ts';
import { checkListenerSets } from './listener-sets.ts';
import { checkRivals } from './rivals.ts';
import { checkRouteActionPolicies } from './route-action-policies.ts';
import { checkSelectors } from './selectors.ts';
import { checkShadowedMatches } from './shadowed-matches.ts';
import { checkSubsets } from './subsets.ts';
import { checkHosts } from './unknown-hosts.ts';
import { checkWeights } from './weights.ts';

const checks = [
  checkShadowedMatches,
  checkHosts,
  checkSubsets,
  checkWeights,
  checkGateways,
  checkListenerSets,
  checkBackends,
  checkBackendTlsPolicies,
  checkEndpointPolicies,
  checkRouteActionPolicies,
  checkCertificates,
  checkKeyPairs,
  checkDelegates,
  checkSelectors,
  checkRivals,
  checkDestinationRules,
];

/**
 * What is allowed but hardly meant, in each of the objects and in all of them together: rules that are never reached, names of what is
 * in none of them, two objects for the same. The objects are valid ones, as they were written; everything comes back at once, in their order.
 * What is missing is only told of kinds that the objects have some of, as the others may well be in the mesh.
 */
export function checkTogether(objects: readonly KubeObject[], options: InventoryOptions = {}): readonly Finding[] {
  const inventory = new Inventory(objects, options);
  const findings = new FindingList();
  for (const object of objects) {
    for (const { path, code, message, fix } of warningsFor(object)) {
      findings.add(object, { path, code, message, fix });
    }
  }
  for (const check of checks) {
    check(inventory, findings);
  }
  return findings.list(objects);
}
