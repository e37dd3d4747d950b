import { declareKind, type ObjectOf } from '../../declare-kind.ts';
import { age } from '../../format/columns.ts';
import { choice, list, map, object, text } from '../../schema/fields.ts';
import { validateBackendTlsPolicy } from './backend-tls-policy-validation.ts';
import { hostPatternText, preciseHost, sectionName, wellKnownCertificates } from './names-schema.ts';
import { policyStatus, targetReferences } from './policy-attachment.ts';
import { gatewayGroup, localReference, optionValue } from './references-schema.ts';
import { atomic } from './route-parts-schema.ts';

const uriPattern = /^(([^:/?#]+):)(\/\/([^/?#]*))([^?#]*)(\?([^#]*))?(#(.*))?/;

function validation() {
  return object(
    'How the certificates of the backends are checked.',
    {
      hostname: preciseHost(
        'Server name (SNI) that is asked for; without `subjectAltNames` the certificate must have it.',
      ),
      caCertificateRefs: list(
        'Objects with the certificates of the authorities that are trusted: a ConfigMap with the key ca.crt.',
        localReference('One object.'),
        { max: 8 },
        atomic,
      ),
      wellKnownCACertificates: wellKnownCertificates(
        'Trust a set of authorities that the gateway knows: System is that of its operating system.',
      ),
      subjectAltNames: list(
        'Names of which the certificate must have one, in place of `hostname`.',
        object(
          'One name.',
          {
            type: choice('What the name is.', ['Hostname', 'URI']),
            hostname: hostPatternText('The host name, for type Hostname.'),
            uri: text('The URI, for type URI; such as a SPIFFE id.', {
              min: 1,
              max: 253,
              pattern: uriPattern,
              form: 'a URI such as spiffe://example.org/a',
            }),
          },
          ['type'],
        ),
        { max: 5 },
        atomic,
      ),
    },
    ['hostname'],
  );
}

function backendTlsPolicySchema() {
  return object(
    'A policy of TLS towards backends.',
    {
      spec: object(
        'Which backends are spoken to by TLS, and how they are checked.',
        {
          targetRefs: targetReferences({
            thing: 'backend',
            all: 'The backends: Services and ServiceEntries, or ports of them.',
            sectionName: sectionName('Port of the backend, by its name. Default: every port.'),
          }),
          validation: validation(),
          options: map('Options of an implementation’s own.', optionValue(), { max: 16 }),
        },
        ['targetRefs', 'validation'],
      ),
      status: policyStatus({
        description: 'What became of the policy at each Gateway that it concerns.',
        ancestor: 'Gateway',
        conditions: 'Statements: Accepted, ResolvedRefs, NotYetSupported.',
      }),
    },
    ['spec'],
  );
}

/** Which backends are spoken to by TLS, and how their certificates are checked. */
export type BackendTlsPolicy = ObjectOf<typeof backendTlsPolicySchema>;

export const backendTlsPolicyKind = declareKind<BackendTlsPolicy>({
  group: gatewayGroup,
  versions: ['v1', 'v1alpha3'],
  deprecatedVersions: ['v1alpha3'],
  kind: 'BackendTLSPolicy',
  plural: 'backendtlspolicies',
  singular: 'backendtlspolicy',
  shortNames: ['btlspolicy'],
  categories: ['gateway-api'],
  namespaced: true,
  hasStatus: true,
  description: 'Which backends are spoken to by TLS, and how their certificates are checked.',
  schema: backendTlsPolicySchema,
  structuralDefaults: true,
  validate: validateBackendTlsPolicy,
  columns: [age],
});
