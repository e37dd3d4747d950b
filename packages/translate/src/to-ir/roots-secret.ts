import { parseRevocationLists } from '@weft/identity';
import type { IstioServerTls } from '@weft/resources';
import { keyOf, type Secret } from '../kinds.ts';
import type { MeshState } from '../state/mesh-state.ts';
import { holdsCertificate, writtenMs } from './key-pair-secret.ts';

/** The authorities that stand in a Secret are a secret of their own on the wire, as Istio names it. */
export const rootsSuffix = '-cacert';

/** Keys of a Secret for certificates of authorities, and for what these have revoked; the first that is there counts. */
export const rootsKeys = ['ca.crt', 'cacert'] as const;
export const revocationKeys = ['ca.crl', 'crl'] as const;

/** The name of the authorities that certificates of clients come from, where they are in a Secret. */
export function clientRootsName({ caCertCredentialName, credentialName, credentialNames }: IstioServerTls): string {
  return `${caCertCredentialName ?? credentialNames?.[0] ?? credentialName ?? ''}${rootsSuffix}`;
}

/** Why what a Secret has for revoked certificates is no good; undefined: it is, or there is nothing. */
export function revocationListProblem(secret: Secret): string | undefined {
  const key = revocationKeys.find((name) => secret.data?.[name] !== undefined);
  if (key === undefined) {
    return undefined;
  }
  let problem = problems.get(secret);
  if (problem === undefined) {
    problem = findProblem(secret, key);
    problems.set(secret, problem);
  }
  return problem === '' ? undefined : problem;
}

const problems = new WeakMap<Secret, string>();

/** Empty: there is none. */
function findProblem(secret: Secret, key: string): string {
  const name = `${key} of Secret ${keyOf(secret)}`;
  try {
    const { endsMs } = parseRevocationLists(Buffer.from(secret.data?.[key] ?? '', 'base64').toString('latin1'));
    // One that ends while it is used lets nobody in, whom it would be about; then a new one is to be written.
    return endsMs < writtenMs(secret)
      ? `${name} had ended when it was written: on ${new Date(endsMs).toISOString()}`
      : '';
  } catch {
    return `${name} is no list of revoked certificates in PEM (X509 CRL)`;
  }
}

/** Why clients cannot be told from others by the Secrets of a server; undefined: they can, or are not asked for certificates, or not by Secrets. */
export function clientRootsProblem(state: MeshState, namespace: string, tls: IstioServerTls): string | undefined {
  if (!asksClients(tls) || (tls.credentialName ?? tls.credentialNames?.[0]) === undefined) {
    return undefined;
  }
  const [name, own] = rootsSecretNames(tls);
  const secret = rootsSecret(state, namespace, tls);
  if (secret === undefined) {
    return `neither Secret ${namespace}/${name} nor ${namespace}/${own} has a ca.crt: without the authorities of clients nobody is let in`;
  }
  const key = rootsKeys.find((each) => secret.data?.[each] !== undefined) ?? rootsKeys[0];
  return holdsCertificate(secret, key) ? undefined : `${key} of Secret ${keyOf(secret)} holds no certificate in PEM`;
}

function asksClients({ mode }: IstioServerTls): boolean {
  return mode === 'MUTUAL' || mode === 'OPTIONAL_MUTUAL';
}

/** The Secret of the authorities alone, and the one that may have them besides its certificate. */
function rootsSecretNames(tls: IstioServerTls): readonly [string, string] {
  const name = clientRootsName(tls);
  return [name, name.slice(0, -rootsSuffix.length)];
}

function rootsSecret(state: MeshState, namespace: string, tls: IstioServerTls): Secret | undefined {
  return rootsSecretNames(tls)
    .map((each) => state.object('/Secret', `${namespace}/${each}`))
    .find((each) => each !== undefined && rootsKeys.some((key) => each.data?.[key] !== undefined));
}

/** Why it cannot be told which certificates of clients are revoked; undefined: it can, or nothing says so. */
export function revocationProblem(state: MeshState, namespace: string, tls: IstioServerTls): string | undefined {
  const fromSecret = tls.credentialName ?? tls.credentialNames?.[0];
  if (fromSecret === undefined || !asksClients(tls)) {
    return undefined;
  }
  const secret = rootsSecret(state, namespace, tls);
  if (secret === undefined) {
    return undefined;
  }
  const both = (tls.caCrl ?? '') !== '' && revocationKeys.some((key) => secret.data?.[key] !== undefined);
  return both
    ? `caCrl and Secret ${keyOf(secret)} both say what is revoked: remove one of the two`
    : revocationListProblem(secret);
}
