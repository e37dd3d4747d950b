import type { ClusterTls, MutualTls, TlsOrigination } from '@weft/ir';
import type { PolicySpec, Secret } from '../kinds.ts';
import type { MergedRule } from '../state/merged-rule.ts';
import type { Client, MeshState } from '../state/mesh-state.ts';
import type { ServiceModel } from '../state/service-model.ts';
import { certificateProblem, holdsCertificate, secretName } from './key-pair-secret.ts';
import { revocationListProblem, rootsKeys, rootsSuffix } from './roots-secret.ts';

type TlsSpec = NonNullable<PolicySpec['tls']>;

/** What `caCertificates` is where the machine's own roots are meant. */
const systemRoots = 'system';

/** The Secrets that a policy names, as far as there are any. */
export interface TlsSecrets {
  readonly namespace: string;
  /** Why they may not be used, and are not looked at then. */
  readonly refusal: string | undefined;
  /** With the key pair, and with the roots if there is no Secret of their own. */
  readonly own: Secret | undefined;
  readonly roots: Secret | undefined;
}

/**
 * The Secrets of `credentialName`, which is one of the client's namespace; undefined: none is named. What hands them to workloads is a
 * rule of their own namespace or of the root namespace: nobody else decides whom a key is given to. Gateways go by every rule, as in Istio.
 */
export function tlsSecrets(
  state: MeshState,
  client: Client,
  spec: TlsSpec | undefined,
  rule: MergedRule | undefined,
): TlsSecrets | undefined {
  const name = spec?.credentialName ?? '';
  if (name === '' || (spec?.mode !== 'SIMPLE' && spec?.mode !== 'MUTUAL')) {
    return undefined;
  }
  const { namespace } = client;
  const ruleNamespace = rule?.rules[0].metadata.namespace;
  if (client.isGateway !== true && ruleNamespace !== namespace && ruleNamespace !== state.settings.rootNamespace) {
    const refusal = `a rule of namespace ${ruleNamespace ?? ''} may not give Secret ${namespace}/${name} to a workload`;
    return { namespace, refusal, own: undefined, roots: undefined };
  }
  return {
    namespace,
    refusal: undefined,
    own: state.object('/Secret', `${namespace}/${name}`),
    roots: state.object('/Secret', `${namespace}/${name}${rootsSuffix}`),
  };
}

/** How the endpoints of a cluster are spoken to; a text says what is missing for it. */
export function clusterTls(
  spec: TlsSpec | undefined,
  mutual: MutualTls,
  service: ServiceModel,
  secrets: TlsSecrets | undefined,
): ClusterTls | string {
  if (spec === undefined) {
    return { kind: 'auto', mutual };
  }
  switch (spec.mode) {
    case undefined:
      return { kind: 'disabled' };
    case 'ISTIO_MUTUAL':
      return { kind: 'mutual', mutual: withNames(mutual, spec) };
    case 'DISABLE':
      return { kind: 'disabled' };
    default:
      return originationOf(spec, service, secrets);
  }
}

/** Names that the rule gives take the place of those that are known of the workloads. */
function withNames(mutual: MutualTls, spec: TlsSpec): MutualTls {
  const names = spec.subjectAltNames ?? [];
  return {
    sni: spec.sni === undefined || spec.sni === '' ? mutual.sni : spec.sni,
    peerIds: names.length === 0 ? mutual.peerIds : [...names].sort(),
  };
}

function originationOf(spec: TlsSpec, service: ServiceModel, secrets: TlsSecrets | undefined): ClusterTls | string {
  if (secrets?.refusal !== undefined) {
    return secrets.refusal;
  }
  const roots = rootsOf(spec, secrets);
  const certificate = spec.mode === 'MUTUAL' ? certificateOf(spec, secrets) : undefined;
  if (typeof roots === 'string' || typeof certificate === 'string') {
    return [roots, certificate].find((part) => typeof part === 'string') ?? '';
  }
  const names = spec.subjectAltNames ?? [];
  const subjectAltNames = names.length > 0 ? names : service.subjectAltNames;
  const written = spec.sni === undefined || spec.sni === '' ? undefined : spec.sni;
  // The host is what the server is known by; a wildcard is no name to send.
  const sni = written ?? (service.host.startsWith('*') ? undefined : service.host);
  if (sni === undefined && subjectAltNames.length === 0 && roots.kind !== 'none') {
    // The certificate of any server would do.
    return 'no name is known that the certificate must have: set sni or subjectAltNames';
  }
  return {
    kind: 'originate',
    origination: {
      sni,
      subjectAltNames,
      roots,
      ...(spec.caCrl === undefined || spec.caCrl === '' ? {} : { crlPath: spec.caCrl }),
      certificate,
    },
  };
}

function rootsOf(spec: TlsSpec, secrets: TlsSecrets | undefined): TlsOrigination['roots'] | string {
  if (spec.insecureSkipVerify === true) {
    return { kind: 'none' };
  }
  if (secrets !== undefined) {
    const name = spec.credentialName ?? '';
    const from = [secrets.roots, secrets.own].find((secret) => rootsKeys.some((key) => holdsCertificate(secret, key)));
    return from === undefined
      ? `there are no certificates of an authority in Secret ${secrets.namespace}/${name}${rootsSuffix} or ${name}`
      : (revocationListProblem(from) ?? {
          kind: 'secret',
          name: secretName(secrets.namespace, `${name}${rootsSuffix}`),
        });
  }
  const path = spec.caCertificates ?? '';
  return path === '' || path === systemRoots ? { kind: 'system' } : { kind: 'file', path };
}

function certificateOf(spec: TlsSpec, secrets: TlsSecrets | undefined): TlsOrigination['certificate'] | string {
  if (secrets === undefined) {
    return { kind: 'files', certificatePath: spec.clientCertificate ?? '', keyPath: spec.privateKey ?? '' };
  }
  const { own, namespace } = secrets;
  const name = spec.credentialName ?? '';
  const problem = own === undefined ? `there is no Secret ${namespace}/${name}` : certificateProblem(own);
  return problem ?? { kind: 'secret', name: secretName(namespace, name) };
}
