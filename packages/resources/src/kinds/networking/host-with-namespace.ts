import { isHostPattern } from '../../format/hosts.ts';
import { isLabel } from '../../format/names.ts';
import type { Place } from '../../place.ts';

/** A host of Istio's Gateways and Sidecars: `namespace/host`, where the namespace may be a sign that stands for some. */
export interface HostWithNamespace {
  /** Absent where there is no slash. */
  readonly namespace?: string;
  readonly host: string;
}

export function splitHost(text: string): HostWithNamespace {
  const slash = text.indexOf('/');
  return slash < 0 ? { host: text } : { namespace: text.slice(0, slash), host: text.slice(slash + 1) };
}

/**
 * Reports what is not `namespace/host`.
 * @param signs what may stand for namespaces: `.` the own one, `*` all, `~` none.
 */
export function checkHostWithNamespace(
  place: Place,
  text: string,
  { namespaceNeeded, signs }: { readonly namespaceNeeded: boolean; readonly signs: readonly string[] },
): void {
  const { namespace, host } = splitHost(text);
  if (namespace === undefined && namespaceNeeded) {
    place.invalid(
      text,
      'not of the form namespace/host',
      `Write */${text || '*'}, ./${text || '*'} or namespace/host.`,
    );
    return;
  }
  if (namespace !== undefined && !signs.includes(namespace) && !isLabel(namespace)) {
    place.invalid(text, 'not a namespace before the slash', `Use the name of a namespace, or ${signs.join(' or ')}.`);
  }
  if (!isHostPattern(host)) {
    place.invalid(
      text,
      'not a valid host name',
      'Use a DNS name such as shop.example.com; only `*` as the first label is allowed in place of a name.',
    );
  }
}
