import { Place } from '../../place.ts';
import type { Violation } from '../../violation.ts';
import type { BackendTlsPolicy } from './backend-tls-policy.ts';
import { checkTargets } from './policy-attachment.ts';

type SubjectAltName = NonNullable<BackendTlsPolicy['spec']['validation']['subjectAltNames']>[number];

function checkName(place: Place, name: SubjectAltName): void {
  for (const [type, field] of [
    ['Hostname', 'hostname'],
    ['URI', 'uri'],
  ] as const) {
    const present = (name[field] ?? '') !== '';
    if (name.type === type && !present) {
      place.at(field).required(`type ${type} needs it`, 'Add it.');
    }
    if (name.type !== type && present) {
      place.at(field).forbidden(`the type is ${name.type}`, `Remove it, or set type to ${type}.`);
    }
  }
}

export function validateBackendTlsPolicy({ spec }: BackendTlsPolicy): Violation[] {
  const root = Place.root();
  const place = root.at('spec');
  checkTargets(place.at('targetRefs'), spec.targetRefs, 'backend', 'port');
  const { caCertificateRefs = [], wellKnownCACertificates = '', subjectAltNames = [] } = spec.validation;
  const here = place.at('validation');
  if (caCertificateRefs.length > 0 && wellKnownCACertificates !== '') {
    here
      .at('wellKnownCACertificates')
      .conflict('only one of caCertificateRefs, wellKnownCACertificates may be set', 'Remove one of the two.');
  }
  if (caCertificateRefs.length === 0 && wellKnownCACertificates === '') {
    here
      .at('caCertificateRefs')
      .required(
        'nothing says which authorities are trusted',
        'Add caCertificateRefs, or wellKnownCACertificates: System.',
      );
  }
  for (const [index, name] of subjectAltNames.entries()) {
    checkName(here.at('subjectAltNames', index), name);
  }
  return root.violations;
}
