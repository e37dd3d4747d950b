import { X509Certificate } from 'node:crypto';
import type { KubeObject } from '@weft/resources';
import { keyOf, type Secret } from '../kinds.ts';
import type { MeshState } from '../state/mesh-state.ts';

/** An object that can hold certificates of authorities under the key `ca.crt`. */
export interface CaObject {
  readonly kind: 'ConfigMap' | 'Secret';
  /** `namespace/name`. */
  readonly key: string;
}

/** What names of bundles on the wire (SDS) begin with; the objects follow, as `ConfigMap/shop/roots,Secret/shop/more`. */
const prefix = 'ca-certificates://';

/** Name on the wire of the certificates of some objects together. */
export function caBundleName(objects: readonly CaObject[]): string {
  return prefix + objects.map(({ kind, key }) => `${kind}/${key}`).join(',');
}

/** The objects that a name of {@link caBundleName} stands for; undefined: it is another name. */
export function caBundleObjects(name: string): readonly CaObject[] | undefined {
  return name.startsWith(prefix)
    ? name
        .slice(prefix.length)
        .split(',')
        .map((text) => {
          const slash = text.indexOf('/');
          return { kind: text.slice(0, slash) as CaObject['kind'], key: text.slice(slash + 1) };
        })
    : undefined;
}

/** The stored object; undefined: there is none. */
export function findCaObject(state: MeshState, { kind, key }: CaObject): KubeObject | undefined {
  return state.object(`/${kind}`, key);
}

/** Most certificates that a proxy takes in one bundle. */
export const maxCaCertificates = 64;

const read = new WeakMap<KubeObject, readonly string[] | string>();

/** The certificates of authorities in a ConfigMap or Secret, in PEM, and nothing else that stands there; a text says why there are none to be used. */
export function caCertificatesOf(object: KubeObject): readonly string[] | string {
  let found = read.get(object);
  if (found === undefined) {
    found = readCertificates(object);
    read.set(object, found);
  }
  return found;
}

function readCertificates(object: KubeObject): readonly string[] | string {
  const name = `${object.kind} ${keyOf(object)}`;
  const { data } = object as Pick<Secret, 'data'>;
  const value = data?.['ca.crt'];
  if (value === undefined) {
    return `${name} has no key ca.crt`;
  }
  const text = object.kind === 'Secret' ? Buffer.from(value, 'base64').toString('latin1') : value;
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) {
    return `ca.crt of ${name} holds no certificate in PEM`;
  }
  try {
    const certificates = blocks.map((block) => new X509Certificate(block));
    const other = certificates.find(({ ca }) => !ca);
    return other === undefined
      ? certificates.map(String)
      : `ca.crt of ${name} holds a certificate that is of no authority (basic constraints without CA): ${other.subject}`;
  } catch {
    return `ca.crt of ${name} holds a certificate that is not readable`;
  }
}
