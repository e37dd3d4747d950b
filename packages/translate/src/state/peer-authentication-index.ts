import { byAge, keyOf, type Labels, type PeerAuthentication } from '../kinds.ts';
import { selects } from '../match.ts';
import type { Reads } from './reads.ts';

export type MutualTlsMode = 'strict' | 'permissive' | 'disabled';

const modes: Readonly<Record<string, MutualTlsMode>> = {
  STRICT: 'strict',
  PERMISSIVE: 'permissive',
  DISABLE: 'disabled',
};

/** What applies to one workload. */
export interface EffectivePeerAuthentication {
  readonly mode: MutualTlsMode;
  /** By port of the application. */
  readonly ports: ReadonlyMap<number, MutualTlsMode>;
  /** The policies that decided, for origins. */
  readonly policies: readonly PeerAuthentication[];
}

/**
 * PeerAuthentication by namespace. Precedence as Istio documents it: a policy that selects the workload, then the
 * namespace's, then the mesh's (root namespace), of several the oldest; UNSET inherits; the mesh's default is STRICT. A
 * policy of the root namespace with a selector applies to nothing.
 */
export class PeerAuthenticationIndex {
  readonly #byNamespace = new Map<string, readonly PeerAuthentication[]>();
  readonly #root: string;
  readonly #reads: Reads;

  constructor(rootNamespace: string, reads: Reads) {
    this.#root = rootNamespace;
    this.#reads = reads;
  }

  set(key: string, namespace: string, policy: PeerAuthentication | undefined): void {
    this.#reads.touch(`peer-authentication/${namespace}`);
    const others = (this.#byNamespace.get(namespace) ?? []).filter((other) => keyOf(other) !== key);
    this.#byNamespace.set(namespace, policy === undefined ? others : [...others, policy].sort(byAge));
  }

  effective(namespace: string, labels: Labels): EffectivePeerAuthentication {
    this.#reads.note(`peer-authentication/${namespace}`);
    this.#reads.note(`peer-authentication/${this.#root}`);
    const own = namespace === this.#root ? [] : (this.#byNamespace.get(namespace) ?? []);
    const workload = own.find((policy) => isSelective(policy) && selects(policy.spec?.selector?.matchLabels, labels));
    const chain = [
      workload,
      own.find((policy) => !isSelective(policy)),
      (this.#byNamespace.get(this.#root) ?? []).find((policy) => !isSelective(policy)),
    ].filter((policy) => policy !== undefined);
    const mode = chain.map((policy) => modes[policy.spec?.mtls?.mode ?? '']).find((found) => found !== undefined);
    const ports = new Map<number, MutualTlsMode>();
    for (const [port, setting] of Object.entries(workload?.spec?.portLevelMtls ?? {})) {
      const portMode = modes[setting.mode ?? ''];
      if (portMode !== undefined) {
        ports.set(Number(port), portMode);
      }
    }
    return { mode: mode ?? 'strict', ports, policies: chain };
  }

  /** The older policy for the same whole namespace, because of which `policy` applies to nothing. */
  shadowing(policy: PeerAuthentication): PeerAuthentication | undefined {
    const namespace = policy.metadata.namespace ?? '';
    this.#reads.note(`peer-authentication/${namespace}`);
    const winner = (this.#byNamespace.get(namespace) ?? []).find((other) => !isSelective(other));
    return isSelective(policy) || winner === policy ? undefined : winner;
  }
}

/** Whether a policy chooses among the workloads of its namespace. */
export function isSelective(policy: PeerAuthentication): boolean {
  return Object.keys(policy.spec?.selector?.matchLabels ?? {}).length > 0;
}
