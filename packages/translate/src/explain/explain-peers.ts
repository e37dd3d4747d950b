import type { Labels, PeerAuthentication } from '../kinds.ts';
import type { MeshState } from '../state/mesh-state.ts';
import type { MutualTlsMode } from '../state/peer-authentication-index.ts';
import type { ServiceModel } from '../state/service-model.ts';
import { type ExplainedValue, originText, weftDefault } from './effective.ts';

const modeTexts: Readonly<Record<MutualTlsMode, string>> = {
  strict: 'strict: mutual TLS only',
  permissive: 'permissive: mutual TLS and plaintext',
  disabled: 'disabled: plaintext only',
};

/** How a workload wants to be spoken to: whole, and the ports that differ. */
export function mutualTlsValues(
  state: MeshState,
  namespace: string,
  labels: Labels,
  name = 'mode',
): readonly ExplainedValue[] {
  const { mode, ports, policies } = state.peerAuthenticationOf(namespace, labels);
  const decided = policies.find((policy) => isDecided(policy.spec?.mtls?.mode));
  const [workload] = policies;
  return [
    {
      name,
      value: modeTexts[mode],
      origin: decided === undefined ? weftDefault : originText(decided, 'spec.mtls.mode'),
    },
    ...[...ports].map(([port, own]) => ({
      name: `${name} of port ${port}`,
      value: modeTexts[own],
      origin: workload === undefined ? weftDefault : portOrigin(workload, port),
    })),
  ];
}

function portOrigin(policy: PeerAuthentication, port: number): string {
  return originText(policy, `spec.portLevelMtls[${port}]`);
}

function isDecided(mode: string | undefined): boolean {
  return mode !== undefined && mode !== 'UNSET';
}

/** How the workloads of a service want to be spoken to: once for all for which it is the same. */
export function peerValues(state: MeshState, service: ServiceModel, name = 'mode'): readonly ExplainedValue[] {
  const { instances } = state.instances.of(service);
  const seen = new Map<string, { readonly values: readonly ExplainedValue[]; readonly workloads: string[] }>();
  for (const { labels, workload } of instances) {
    if (state.proxy(`${workload.namespace}/${workload.name}`) === undefined) {
      continue;
    }
    const values = mutualTlsValues(state, workload.namespace, labels, name);
    const key = JSON.stringify(values);
    const known = seen.get(key) ?? { values, workloads: [] };
    known.workloads.push(workload.name);
    seen.set(key, known);
  }
  if (seen.size === 0) {
    return instances.length === 0
      ? mutualTlsValues(state, service.namespace, {}, name)
      : [{ name, value: 'none of its workloads has a proxy', origin: '' }];
  }
  return [...seen.values()].flatMap(({ values, workloads }) =>
    seen.size === 1 ? values : values.map((value) => ({ ...value, name: `${value.name} (${workloads.join(', ')})` })),
  );
}
