import { Place } from '../../place.ts';
import type { Violation } from '../../violation.ts';
import type { BackendTlsPolicy } from './backend-tls-policy.ts';

function checkTargets(place: Place, targets: BackendTlsPolicy['spec']['targetRefs']): void {
  const firsts = new Map<string, boolean>();
  const seen = new Set<string>();
  for (const [index, { group, kind, name, sectionName = '' }] of targets.entries()) {
    const here = place.at(index);
    const target = JSON.stringify([group, kind, name]);
    const whole = JSON.stringify([target, sectionName]);
    const first = firsts.get(target);
    if (seen.has(whole)) {
      here.duplicate(name, 'Name each backend, or each port of it, once.');
    } else if (first !== undefined && first !== (sectionName !== '')) {
      here.conflict(
        `${name} is meant as a whole and by its ports`,
        'Set sectionName in all references to it, or keep one reference without.',
      );
    }
    firsts.set(target, first ?? sectionName !== '');
    seen.add(whole);
  }
}

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
  checkTargets(place.at('targetRefs'), spec.targetRefs);
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
