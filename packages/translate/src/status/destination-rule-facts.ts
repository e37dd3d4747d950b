import { type DestinationRule, keyOf } from '../kinds.ts';
import { exportedTo } from '../match.ts';
import { type MergedRule, mergeRules, type RuleClient, rulesFor } from '../state/merged-rule.ts';
import type { MeshState } from '../state/mesh-state.ts';
import { concreteService, type ServiceModel } from '../state/service-model.ts';
import { backendTlsPolicyOf } from '../to-ir/gateway-api/backend-tls.ts';
import { outboundCluster } from '../to-ir/outbound-cluster.ts';
import { trafficPolicy } from '../to-ir/traffic-policy.ts';
import { describe } from './describe.ts';

export interface DestinationRuleFacts {
  /** Parts that other rules have: `trafficPolicy of host a by DestinationRule b/c`. */
  readonly conflicts: readonly string[];
  /** Whether nothing of it is left for anybody. */
  readonly overruled: boolean;
  /** Where a BackendTLSPolicy says how TLS is spoken, in place of the rule. */
  readonly tlsElsewhere: readonly string[];
  readonly unresolved: readonly string[];
}

/** What becomes of a DestinationRule where it is put together with others. */
export function destinationRuleFacts(state: MeshState, object: DestinationRule): DestinationRuleFacts {
  const namespace = object.metadata.namespace ?? '';
  const host = object.spec?.host ?? '';
  const service = host.startsWith('*')
    ? sharedService(state, host, namespace)
    : state.resolveHost(host, namespace, namespace);
  const hosts = state.destinationRules.hostsOf(keyOf(object));
  const views = (service !== undefined && hosts.includes(service.host) ? [service.host] : hosts).flatMap((name) =>
    viewsOf(state, object, name),
  );
  const lost = new Map<string, string[]>();
  for (const view of views) {
    for (const text of view.lost) {
      lost.set(text, [...(lost.get(text) ?? []), view.client.namespace]);
    }
  }
  const everywhere = new Set(views.map(({ client }) => client.namespace)).size;
  return {
    conflicts: [...lost].map(([text, namespaces]) =>
      namespaces.length >= everywhere ? text : `${text} (for clients of ${namespaces.map(namespaceText).join(', ')})`,
    ),
    overruled: views.length > 0 && views.every(({ isLost }) => isLost),
    tlsElsewhere: service === undefined ? [] : tlsOfPolicies(state, object, service),
    unresolved:
      service !== undefined
        ? missingForClusters(state, object, service)
        : host.startsWith('*')
          ? []
          : [`host ${host} is not known`],
  };
}

/** The service that all hosts below a wildcard are: one with endpoints of its own. undefined: each host is one by itself, or there is none. */
function sharedService(state: MeshState, wildcard: string, namespace: string): ServiceModel | undefined {
  const service = state.services.exact(wildcard.toLowerCase(), namespace);
  return service === undefined ||
    service.discovery === 'none' ||
    concreteService(service, `any${wildcard.slice(1)}`) !== service
    ? undefined
    : service;
}

/** Where the rule says how TLS is spoken, and a BackendTLSPolicy of the service does, too. */
function tlsOfPolicies(state: MeshState, object: DestinationRule, service: ServiceModel): readonly string[] {
  const alone = mergeRules(state.memo, [object]);
  const subsets = ['', ...(alone?.subsets.keys() ?? [])];
  return service.ports.flatMap((port) => {
    const policy = backendTlsPolicyOf(state, service, port);
    const says = subsets.some((subset) => trafficPolicy(alone, subset, port.number).tls !== undefined);
    return policy === undefined || !says ? [] : [`TLS to ${service.host}:${port.number} by ${describe(policy)}`];
  });
}

interface RuleView {
  readonly client: RuleClient;
  /** What others have of it. */
  readonly lost: readonly string[];
  /** Whether nothing is left of it. */
  readonly isLost: boolean;
}

/** Stands for a namespace that no rule names. */
const elsewhere = '';

function namespaceText(namespace: string): string {
  return namespace === elsewhere ? 'other namespaces' : `namespace ${namespace}`;
}

/** How clients see a rule for one host: one of each namespace that some rule for it names, and one of another. */
function viewsOf(state: MeshState, object: DestinationRule, host: string): readonly RuleView[] {
  const own = object.metadata.namespace ?? '';
  const labels = object.spec?.workloadSelector?.matchLabels ?? {};
  const list = state.destinationRules.exact(host);
  const named = list.flatMap(({ spec }) => spec?.exportTo ?? []).filter((entry) => !['.', '*', '~'].includes(entry));
  // A rule with a selector is for workloads of its own namespace alone.
  const namespaces = object.spec?.workloadSelector === undefined ? [own, ...named, elsewhere] : [own];
  return [...new Set(namespaces)]
    .filter((namespace) => exportedTo(object.spec?.exportTo, own, namespace))
    .map((namespace): RuleView => {
      const client = { namespace, labels };
      const rules = rulesFor(list, own, client);
      const merged = mergeRules(state.memo, rules);
      const parts = partsOf(object, merged);
      const [first] = rules;
      if (first !== undefined && !rules.includes(object)) {
        const why = 'which is for others by exportTo or workloadSelector and so not merged with it';
        return { client, lost: [`host ${host} by ${describe(first)}, ${why}`], isLost: true };
      }
      const lost = parts.flatMap(({ name, owner }) =>
        owner === undefined || owner === object ? [] : [`${name} of host ${host} by ${describe(owner)}`],
      );
      return { client, lost, isLost: lost.length > 0 && lost.length === parts.length };
    });
}

/** What a rule has to say, and which rule is heard. */
function partsOf(
  { spec }: DestinationRule,
  merged: MergedRule | undefined,
): readonly { readonly name: string; readonly owner: DestinationRule | undefined }[] {
  return [
    ...(spec?.trafficPolicy === undefined ? [] : [{ name: 'trafficPolicy', owner: merged?.trafficPolicy?.rule }]),
    ...(spec?.subsets ?? []).map(({ name }) => ({ name: `subset ${name}`, owner: merged?.subsets.get(name)?.rule })),
  ];
}

/** What clients of the rule's own namespace lack for the clusters that it makes: Secrets. */
function missingForClusters(state: MeshState, object: DestinationRule, service: ServiceModel): readonly string[] {
  const labels = object.spec?.workloadSelector?.matchLabels ?? {};
  const client = { namespace: object.metadata.namespace ?? '', labels };
  const merged = state.destinationRuleOf(service, client);
  const missing = new Set<string>();
  const subsets = [...(merged?.subsets ?? [])].flatMap(([name, { rule }]) => (rule === object ? [name] : []));
  const isWhole = (merged?.trafficPolicy?.rule ?? merged?.rules[0]) === object;
  for (const port of service.ports) {
    for (const subset of [...(isWhole ? [''] : []), ...subsets]) {
      const cluster = outboundCluster(state, client, service, port, subset);
      if (typeof cluster === 'string') {
        missing.add(cluster);
      }
    }
  }
  return [...missing];
}
