import { Place } from '../../place.ts';
import type { Violation } from '../../violation.ts';
import { clientChecksInVain } from './client-checks.ts';
import { warnOfDuplicates } from './istio-checks.ts';
import type { IstioGateway, IstioServer } from './istio-gateway.ts';
import { isHttpProtocol, isTlsProtocol } from './protocols.ts';

/** Servers of one port must be told apart by the first bytes of a connection. */
function familyOf({ port }: IstioServer): string {
  return isHttpProtocol(port.protocol) ? 'HTTP' : isTlsProtocol(port.protocol) ? 'TLS' : port.protocol;
}

/** Settings that nothing can use: certificates of a server that passes TLS through, two protocols on one port. */
export function warnOfIstioGateway({ spec }: IstioGateway): Violation[] {
  const root = Place.root();
  const place = root.at('spec', 'servers');
  const ports = new Map<string, IstioServer>();
  for (const [index, server] of (spec?.servers ?? []).entries()) {
    const here = place.at(index);
    const socket = `${server.bind ?? ''} ${server.port.number}`;
    const first = ports.get(socket);
    if (first !== undefined && familyOf(first) !== familyOf(server)) {
      here
        .at('port', 'protocol')
        .conflict(
          `server ${first.port.name} speaks ${first.port.protocol} on the same port, which does not go together`,
          'Use another port.',
        );
    }
    ports.set(socket, first ?? server);
    const { tls } = server;
    const passes = tls !== undefined && (tls.mode === undefined || tls.mode.endsWith('PASSTHROUGH'));
    for (const field of ['serverCertificate', 'privateKey', 'caCertificates', 'credentialName'] as const) {
      if (passes && isTlsProtocol(server.port.protocol) && (tls[field] ?? '') !== '') {
        here.at('tls', field).forbidden('TLS that is passed through needs no certificate', 'Remove it, or set mode.');
      }
    }
    for (const field of tls === undefined ? [] : clientChecksInVain(tls)) {
      here
        .at('tls', field)
        .forbidden(
          `mode ${tls?.mode ?? 'PASSTHROUGH'} asks clients for no certificate, so there is nothing to check`,
          'Set mode to MUTUAL, or remove it.',
        );
    }
    if (tls?.httpsRedirect === true && !isHttpProtocol(server.port.protocol)) {
      here
        .at('tls', 'httpsRedirect')
        .forbidden('only requests in the clear are redirected to HTTPS', 'Put it on a server of protocol HTTP.');
    }
    warnOfDuplicates(here.at('hosts'), server.hosts, 'Name each host once.');
    warnOfDuplicates(here.at('tls', 'cipherSuites'), tls?.cipherSuites ?? [], 'Name each cipher suite once.');
    if (server.port.targetPort !== undefined) {
      here.at('port', 'targetPort').forbidden('the field is deprecated and does nothing', 'Remove it.');
    }
  }
  return root.violations;
}
