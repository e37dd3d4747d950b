import type { GatewayClientCertificates } from '@weft/ir';
import type { KubeListener } from '@weft/resources';
import type { KubeGateway } from '../../kinds.ts';
import type { MeshState } from '../../state/mesh-state.ts';
import { gatewayGroup } from '../../state/route-index.ts';
import { type CaProblem, caCertificates } from './ca-certificates.ts';
import type { CertificateProblem } from './certificates.ts';

/** What a listener asks of the certificates of its clients. */
export interface ClientValidation {
  /** undefined: they are to be checked, and there is nothing to check them with. */
  readonly client: GatewayClientCertificates | undefined;
  readonly problems: readonly CertificateProblem[];
}

const reasons: Readonly<Record<CaProblem['kind'], CertificateProblem['reason']>> = {
  invalid: 'InvalidCACertificateRef',
  'unknown-kind': 'InvalidCACertificateKind',
  'not-permitted': 'RefNotPermitted',
};

/** What `spec.tls.frontend` says for a listener: of HTTPS only, by the entry of its port, else the default. */
export function clientValidation(state: MeshState, gateway: KubeGateway, listener: KubeListener): ClientValidation {
  const { frontend } = gateway.spec.tls ?? {};
  const ofPort = frontend?.perPort?.find(({ port }) => port === listener.port);
  const validation = (ofPort?.tls ?? frontend?.default)?.validation;
  if (listener.protocol !== 'HTTPS' || validation === undefined) {
    return { client: { kind: 'none' }, problems: [] };
  }
  const from = { group: gatewayGroup, kind: 'Gateway', namespace: gateway.metadata.namespace ?? '' };
  const { secret, problems } = caCertificates(state, from, validation.caCertificateRefs);
  return {
    client:
      secret === undefined
        ? undefined
        : validation.mode === 'AllowInsecureFallback'
          ? { kind: 'unverified', roots: { kind: 'secret', name: secret } }
          : { kind: 'verified', required: true, roots: { kind: 'secret', name: secret }, subjectAltNames: [] },
    problems: problems.map(({ kind, message }) => ({ reason: reasons[kind], message })),
  };
}

/** Where a Gateway lets clients in whose certificates are not valid: paths in its `spec`. */
export function insecureFallbacks({ spec }: KubeGateway): readonly string[] {
  const { default: ofAll, perPort = [] } = spec.tls?.frontend ?? {};
  return [
    ...(ofAll?.validation?.mode === 'AllowInsecureFallback' ? ['spec.tls.frontend.default'] : []),
    ...perPort.flatMap(({ tls }, index) =>
      tls.validation?.mode === 'AllowInsecureFallback' ? [`spec.tls.frontend.perPort[${index}]`] : [],
    ),
  ];
}
