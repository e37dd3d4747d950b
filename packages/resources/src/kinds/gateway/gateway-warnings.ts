import { Place } from '../../place.ts';
import type { Violation } from '../../violation.ts';
import type { KubeGateway, KubeListener } from './gateway.ts';

/** Listeners of one port must be told apart by the first bytes of a connection. */
function familyOf({ protocol }: KubeListener): string {
  return protocol === 'HTTPS' ? 'TLS' : protocol;
}

/** Listeners that cannot work: no certificate, a port that two protocols want, a selector that is missing. */
export function warnOfGateway({ spec }: KubeGateway): Violation[] {
  const root = Place.root();
  const place = root.at('spec', 'listeners');
  const families = new Map<number, KubeListener>();
  for (const [index, listener] of spec.listeners.entries()) {
    const here = place.at(index);
    if (listener.protocol === 'HTTPS' && listener.tls === undefined) {
      here.at('tls').required('HTTPS cannot be served without a certificate', 'Add tls.certificateRefs.');
    }
    const { from, selector } = listener.allowedRoutes?.namespaces ?? {};
    if (from === 'Selector' && selector === undefined) {
      here
        .at('allowedRoutes', 'namespaces', 'selector')
        .required('without it no namespace is chosen', 'Add matchLabels or matchExpressions.');
    }
    const first = families.get(listener.port);
    if (first !== undefined && familyOf(first) !== familyOf(listener)) {
      here
        .at('port')
        .conflict(
          `listener ${first.name} speaks ${first.protocol} on port ${listener.port}, which does not go together`,
          'Use another port.',
        );
    }
    families.set(listener.port, first ?? listener);
  }
  return root.violations;
}
