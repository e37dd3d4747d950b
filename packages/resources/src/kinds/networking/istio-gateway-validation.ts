import { isIpAddress } from '../../format/address.ts';
import { checkLabels } from '../../format/labels.ts';
import { Place } from '../../place.ts';
import type { Violation } from '../../violation.ts';
import { checkHostWithNamespace } from './host-with-namespace.ts';
import { checkPortNumber, checkUnixAddress, isUnixAddress } from './istio-checks.ts';
import type { IstioGateway, IstioServer } from './istio-gateway.ts';
import { checkProtocol, isHttpProtocol, isTlsProtocol } from './protocols.ts';
import { checkServerTls } from './server-tls-validation.ts';

function checkPort(place: Place, { port, bind = '' }: IstioServer): void {
  if (port.name === '') {
    place.at('name').required('the port has no name', 'Name it, such as http or https-shop.');
  }
  if (port.protocol === '') {
    place.at('protocol').required('the port has no protocol', 'Add it, such as HTTP, HTTPS, TLS or TCP.');
  }
  checkProtocol(place.at('protocol'), port.protocol);
  if (!(isUnixAddress(bind) && port.number === 0)) {
    checkPortNumber(place.at('number'), port.number);
  }
}

function checkBind(place: Place, bind: string | undefined): void {
  if (bind === undefined || bind === '') {
    return;
  }
  if (isUnixAddress(bind)) {
    checkUnixAddress(place, bind);
  } else if (!isIpAddress(bind)) {
    place.invalid(
      bind,
      'neither an IP address nor a Unix socket',
      'Write it as 0.0.0.0, :: or unix:///path/to/socket.',
    );
  }
}

function checkHosts(place: Place, hosts: readonly string[]): void {
  if (hosts.length === 0) {
    place.required('the server has no host', 'Name at least one; `*` is every host.');
  }
  for (const [index, host] of hosts.entries()) {
    checkHostWithNamespace(place.at(index), host, { namespaceNeeded: false, signs: ['.', '*', '~'] });
  }
}

const plainFiles = ['serverCertificate', 'privateKey', 'caCertificates'] as const;

function checkTls(place: Place, { port, tls }: IstioServer): void {
  if (tls === undefined) {
    if (isTlsProtocol(port.protocol)) {
      place.required(`a server of protocol ${port.protocol} needs TLS settings`, 'Add tls with a mode.');
    }
    return;
  }
  if (isHttpProtocol(port.protocol)) {
    const mode = tls.mode ?? 'PASSTHROUGH';
    if (mode !== 'PASSTHROUGH' || plainFiles.some((field) => (tls[field] ?? '') !== '')) {
      place.forbidden(
        `a server of protocol ${port.protocol} has no TLS, only httpsRedirect`,
        'Set the protocol to HTTPS, or keep httpsRedirect alone.',
      );
    }
  } else if (!isTlsProtocol(port.protocol)) {
    place.forbidden(`a server of protocol ${port.protocol} has no TLS`, 'Set the protocol to TLS, or remove tls.');
  }
  checkServerTls(place, tls);
}

export function validateIstioGateway({ spec }: IstioGateway): Violation[] {
  const root = Place.root();
  const place = root.at('spec');
  const servers = spec?.servers ?? [];
  if (servers.length === 0) {
    place.at('servers').required('a gateway has at least one server', 'Add one, with port and hosts.');
  }
  checkLabels(place.at('selector'), spec?.selector);
  const names = new Set<string>();
  for (const [index, server] of servers.entries()) {
    const here = place.at('servers', index);
    checkPort(here.at('port'), server);
    if (names.has(server.port.name)) {
      here.at('port', 'name').duplicate(server.port.name, 'Give each port a name of its own.');
    }
    names.add(server.port.name);
    checkBind(here.at('bind'), server.bind);
    checkHosts(here.at('hosts'), server.hosts);
    checkTls(here.at('tls'), server);
  }
  return root.violations;
}
