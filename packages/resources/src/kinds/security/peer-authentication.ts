import { declareKind, type ObjectOf } from '../../declare-kind.ts';
import { accepted, age, programmed } from '../../format/columns.ts';
import { choice, map, object } from '../../schema/fields.ts';
import { istioStatus } from '../../schema/istio-status.ts';
import { workloadSelector } from '../../schema/workload-selector.ts';
import { validatePeerAuthentication } from './peer-authentication-validation.ts';

function mutualTls(description: string) {
  return object(description, {
    mode: choice('Plaintext only, both, or mutual TLS only; UNSET takes the mode from the next wider scope.', [
      'UNSET',
      'DISABLE',
      'PERMISSIVE',
      'STRICT',
    ]),
  });
}

function peerAuthenticationSchema() {
  return object('A peer authentication.', {
    spec: object('What workloads accept from their peers.', {
      selector: workloadSelector(
        'Workloads of the namespace that it is for. Default all; in the root namespace, the whole mesh.',
      ),
      mtls: mutualTls('Mode for all ports.'),
      portLevelMtls: map(
        'Mode for single ports of the workload, by number; needs a selector.',
        mutualTls('Mode for one port.'),
        {
          min: 1,
        },
      ),
    }),
    status: istioStatus(),
  });
}

/** Whether workloads accept mutual TLS, plaintext or both. */
export type PeerAuthentication = ObjectOf<typeof peerAuthenticationSchema>;
export type PeerAuthenticationSpec = NonNullable<PeerAuthentication['spec']>;
export type MutualTlsMode = NonNullable<NonNullable<PeerAuthenticationSpec['mtls']>['mode']>;

export const peerAuthenticationKind = declareKind<PeerAuthentication>({
  group: 'security.istio.io',
  versions: ['v1', 'v1beta1'],
  kind: 'PeerAuthentication',
  plural: 'peerauthentications',
  singular: 'peerauthentication',
  shortNames: ['pa'],
  categories: ['istio-io', 'security-istio-io'],
  namespaced: true,
  hasStatus: true,
  description: 'Whether workloads accept mutual TLS, plaintext or both from their peers.',
  schema: peerAuthenticationSchema,
  validate: validatePeerAuthentication,
  columns: [
    {
      name: 'Mode',
      type: 'string',
      priority: 0,
      description: 'Mode for all ports.',
      value: ({ spec }) => spec?.mtls?.mode,
    },
    programmed,
    accepted,
    age,
  ],
});
