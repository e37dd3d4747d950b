import type { DestinationRule, TrafficPolicySpec } from '../kinds.ts';
import type { Place } from '../origin.ts';
import type { MergedRule } from '../state/merged-rule.ts';

/** Settings of a policy that a port's own settings do not replace. */
const ofAllPorts = new Set(['retryBudget', 'proxyProtocol', 'tunnel']);

/** Where a field of the policy for one port and subset stands in a DestinationRule; undefined: nowhere. */
export function policyPlace(
  rule: MergedRule | undefined,
  subset: string,
  port: number,
  path: readonly string[],
): Place | undefined {
  const declared = rule?.subsets.get(subset);
  const whole = rule?.trafficPolicy;
  const levels: readonly (readonly [DestinationRule | undefined, string, TrafficPolicySpec | undefined])[] = [
    [declared?.rule, `spec.subsets[${declared?.index ?? 0}].trafficPolicy`, declared?.value.trafficPolicy],
    [whole?.rule, 'spec.trafficPolicy', whole?.value],
  ];
  const [first = ''] = path;
  for (const [owner, prefix, policy] of levels) {
    if (owner === undefined || policy === undefined) {
      continue;
    }
    const at = (policy.portLevelSettings ?? []).findIndex((settings) => settings.port?.number === port);
    if (at >= 0 && !ofAllPorts.has(first)) {
      // A port's own settings replace all of the policy.
      const place = `${prefix}.portLevelSettings[${at}]`;
      return isSet(policy.portLevelSettings?.[at], path)
        ? { object: owner, path: `${place}.${path.join('.')}` }
        : undefined;
    }
    if (isSet(policy, [first])) {
      return isSet(policy, path) ? { object: owner, path: `${prefix}.${path.join('.')}` } : undefined;
    }
  }
  return undefined;
}

function isSet(value: unknown, path: readonly string[]): boolean {
  let found = value;
  for (const step of path) {
    found = (found as Readonly<Record<string, unknown>> | undefined)?.[step];
  }
  return found !== undefined;
}
