import type { OriginRef } from '@weft/ir';
import { originOf } from '../../origin.ts';
import type { MeshState } from '../../state/mesh-state.ts';
import { type CaObject, caBundleName, caCertificatesOf, findCaObject, maxCaCertificates } from '../ca-bundle.ts';
import { mayRefer, type Referrer } from './reference-grant.ts';

/** A reference to certificates of authorities, as policies and Gateways write it. */
export interface CaCertificateRef {
  readonly group?: string | undefined;
  readonly kind: string;
  readonly name: string;
  /** Default: that of the object which refers. */
  readonly namespace?: string | undefined;
}

/** Why a reference is not used; Gateway API has another word for the same at each place. */
export interface CaProblem {
  readonly kind: 'invalid' | 'unknown-kind' | 'not-permitted';
  readonly message: string;
}

/** The authorities that a list of references comes to. */
export interface CaCertificates {
  /** Name of the secret (SDS) with the certificates of all valid references; undefined: none is valid. */
  readonly secret: string | undefined;
  readonly problems: readonly CaProblem[];
  readonly origins: readonly OriginRef[];
}

/** @param from who refers: for another namespace there must be a ReferenceGrant. */
export function caCertificates(state: MeshState, from: Referrer, refs: readonly CaCertificateRef[]): CaCertificates {
  const valid: CaObject[] = [];
  const problems: CaProblem[] = [];
  const origins: OriginRef[] = [];
  let count = 0;
  for (const ref of refs) {
    const { group = '', kind, name, namespace = from.namespace } = ref;
    if (group !== '' || (kind !== 'ConfigMap' && kind !== 'Secret')) {
      const what = group === '' ? kind : `${group}/${kind}`;
      const message = `certificates of authorities are not read from kind ${what}: use a ConfigMap with the key ca.crt`;
      problems.push({ kind: 'unknown-kind', message });
      continue;
    }
    if (!mayRefer(state, from, { group, kind, namespace, name })) {
      const message = `no ReferenceGrant in namespace ${namespace} lets a ${from.kind} of ${from.namespace} refer to ${kind} ${name}`;
      problems.push({ kind: 'not-permitted', message });
      continue;
    }
    const place: CaObject = { kind, key: `${namespace}/${name}` };
    const object = findCaObject(state, place);
    const found = object === undefined ? `there is no ${kind} ${place.key}` : caCertificatesOf(object);
    if (object === undefined || typeof found === 'string') {
      problems.push({ kind: 'invalid', message: String(found) });
    } else if (count + found.length > maxCaCertificates) {
      const message = `with ${kind} ${place.key} there are more than ${maxCaCertificates} certificates of authorities`;
      problems.push({ kind: 'invalid', message });
    } else {
      count += found.length;
      valid.push(place);
      origins.push(originOf(object));
    }
  }
  return { secret: valid.length === 0 ? undefined : caBundleName(valid), problems, origins };
}
