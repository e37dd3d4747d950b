import type { Labels, PeerAuthentication } from '../kinds.ts';
import type { MeshState } from '../state/mesh-state.ts';
import type { MutualTlsMode } from '../state/peer-authentication-index.ts';
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
