import type { Unsubscribe } from '@weft/base';
import { PrivateKey } from '@weft/identity';
import type { SecretMaterial, SecretSource } from '../data-plane.ts';
import type { SecretConfig, SecretRef } from '../runtime-config/config.ts';
import type { WorkloadIdentity } from './workload-identity.ts';

/** Names of the local secrets, the ones that stock Envoy asks Istio's agent for. */
const LOCAL_CERTIFICATE = 'default';
const LOCAL_TRUST_BUNDLE = 'ROOTCA';

/** All secrets for the data plane: the proxy's own identity, and what came by ADS. */
export class ProxySecrets implements SecretSource {
  readonly #identity: WorkloadIdentity | undefined;
  readonly #listeners = new Set<(ref: SecretRef) => void>();
  #ads: ReadonlyMap<string, SecretConfig> = new Map();
  #local: SecretMaterial | undefined;
  readonly #stop: Unsubscribe | undefined;

  constructor(identity: WorkloadIdentity | undefined) {
    this.#identity = identity;
    this.#stop = identity?.svid.subscribe(
      (svid) => {
        this.#local = svid && {
          kind: 'key-pair',
          certificateChainPem: svid.chainPem,
          privateKeyPem: () => svid.key.revealPem(),
          version: `${svid.notBefore}-${svid.key.fingerprint()}`,
        };
        this.#tell({ source: 'local', name: LOCAL_CERTIFICATE });
      },
      { now: true },
    );
  }

  get(ref: SecretRef): SecretMaterial | undefined {
    if (ref.source === 'local') {
      return ref.name === LOCAL_CERTIFICATE ? this.#local : this.#localTrustBundle(ref.name);
    }
    if (ref.source === 'given') {
      return ref.material;
    }
    const secret = this.#ads.get(ref.name);
    return secret && materialOf(secret);
  }

  subscribe(listener: (ref: SecretRef) => void): Unsubscribe {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Takes the secrets of a new configuration; tells of those that are other ones. */
  replaceAds(secrets: ReadonlyMap<string, SecretConfig>): void {
    const before = this.#ads;
    this.#ads = secrets;
    const root = secrets.get(LOCAL_TRUST_BUNDLE);
    if (root?.kind === 'validation-context') {
      this.#identity?.useRoots(root.trustBundlePem);
    }
    for (const name of new Set([...before.keys(), ...secrets.keys()])) {
      if (before.get(name)?.version !== secrets.get(name)?.version) {
        this.#tell({ source: 'ads', name });
      }
    }
  }

  close(): void {
    this.#stop?.();
  }

  #localTrustBundle(name: string): SecretMaterial | undefined {
    return name === LOCAL_TRUST_BUNDLE && this.#identity !== undefined
      ? { kind: 'trust-bundle', pem: this.#identity.trustBundle.pem, version: this.#identity.trustBundle.version }
      : undefined;
  }

  #tell(ref: SecretRef): void {
    for (const listener of [...this.#listeners]) {
      listener(ref);
    }
  }
}

function materialOf(secret: SecretConfig): SecretMaterial | undefined {
  if (secret.kind === 'validation-context') {
    const { trustBundlePem: pem, revoked, version } = secret;
    return { kind: 'trust-bundle', pem, ...(revoked === undefined ? {} : { revoked }), version };
  }
  const { key, chainPem, version } = secret;
  return key instanceof PrivateKey
    ? { kind: 'key-pair', certificateChainPem: chainPem, privateKeyPem: () => key.revealPem(), version }
    : undefined;
}
