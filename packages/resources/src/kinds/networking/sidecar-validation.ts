import { isIpAddress } from '../../format/address.ts';
import { isHostName } from '../../format/hosts.ts';
import { isPort } from '../../format/ports.ts';
import { Place } from '../../place.ts';
import type { Violation } from '../../violation.ts';
import { checkHostWithNamespace } from './host-with-namespace.ts';
import { checkPortNumber, checkUnixAddress, checkWorkloadLabels, isUnixAddress } from './istio-checks.ts';
import { checkProtocol, isTlsProtocol } from './protocols.ts';
import { checkServerTls } from './server-tls-validation.ts';
import type { Sidecar, SidecarEgress, SidecarIngress, SidecarSpec } from './sidecar.ts';
import { checkConnectionPool } from './traffic-policy-validation.ts';

type Port = SidecarIngress['port'];

/** What was bound so far, to report two that are the same. */
class Bound {
  readonly #seen = new Set<string>();

  bind(place: Place, what: string | number): void {
    if (this.#seen.has(String(what))) {
      place.duplicate(what, 'Give each listener a port or socket of its own.');
    }
    this.#seen.add(String(what));
  }
}

function checkIpPort(place: Place, port: Port, bind: string | undefined): void {
  if (port.number === undefined) {
    place.at('port', 'number').required('the port has no number', 'Add it.');
  }
  checkPortNumber(place.at('port', 'number'), port.number);
  if (bind !== undefined && bind !== '' && !isIpAddress(bind)) {
    place.at('bind').invalid(bind, 'not an IP address', 'Write an IPv4 or IPv6 address.');
  }
}

function checkPortProtocol(place: Place, { protocol = '' }: Port): void {
  if (protocol === '') {
    place.at('protocol').required('the port has no protocol', 'Add it, such as HTTP or TCP.');
  }
  checkProtocol(place.at('protocol'), protocol);
}

const workloadAddresses = ['127.0.0.1', '0.0.0.0', '[::1]', '[::]'];

function checkDefaultEndpoint(place: Place, endpoint: string): void {
  if (isUnixAddress(endpoint)) {
    checkUnixAddress(place, endpoint);
    return;
  }
  const colon = endpoint.lastIndexOf(':');
  const port = endpoint.slice(colon + 1);
  if (!workloadAddresses.includes(endpoint.slice(0, colon)) || !/^\d{1,5}$/.test(port) || !isPort(Number(port))) {
    place.invalid(
      endpoint,
      'not an address of the workload',
      'Write it as 127.0.0.1:8080, 0.0.0.0:8080, [::1]:8080, [::]:8080 or unix:///path/to/socket.',
    );
  }
}

function checkIngressTls(place: Place, { tls, port }: SidecarIngress): void {
  if (tls === undefined) {
    return;
  }
  if (!isTlsProtocol(port.protocol)) {
    place.forbidden(`a listener of protocol ${port.protocol ?? ''} has no TLS`, 'Set the protocol to HTTPS or TLS.');
  }
  if (tls.mode === 'ISTIO_MUTUAL' || tls.mode === 'AUTO_PASSTHROUGH') {
    place.at('mode').invalid(tls.mode, 'not for sidecars', 'Use SIMPLE, MUTUAL or OPTIONAL_MUTUAL.');
  }
  if (tls.httpsRedirect === true) {
    place.at('httpsRedirect').forbidden('sidecars do not redirect', 'Remove it.');
  }
  for (const field of ['credentialName', 'credentialNames', 'subjectAltNames'] as const) {
    if ((tls[field]?.length ?? 0) > 0) {
      place.at(field).forbidden('it is for gateways', 'Remove it; name files of the workload.');
    }
  }
  checkServerTls(place, tls);
}

function checkIngress(place: Place, listeners: readonly SidecarIngress[]): void {
  const ports = new Bound();
  for (const [index, listener] of listeners.entries()) {
    const here = place.at(index);
    checkPortProtocol(here.at('port'), listener.port);
    checkIpPort(here, listener.port, listener.bind);
    if (listener.port.number !== undefined) {
      ports.bind(here.at('port', 'number'), listener.port.number);
    }
    if (listener.defaultEndpoint !== undefined && listener.defaultEndpoint !== '') {
      checkDefaultEndpoint(here.at('defaultEndpoint'), listener.defaultEndpoint);
    }
    checkIngressTls(here.at('tls'), listener);
    if (listener.connectionPool !== undefined) {
      checkConnectionPool(here.at('connectionPool'), listener.connectionPool);
    }
  }
}

function checkEgressPort(place: Place, listener: SidecarEgress, port: Port, ports: Bound): void {
  const { bind = '', captureMode = 'DEFAULT' } = listener;
  checkPortProtocol(place.at('port'), port);
  if ((port.number ?? 0) !== 0 || !isUnixAddress(bind)) {
    checkIpPort(place, port, bind);
    if (port.number !== undefined) {
      ports.bind(place.at('port', 'number'), port.number);
    }
    return;
  }
  checkUnixAddress(place.at('bind'), bind);
  ports.bind(place.at('bind'), bind);
  if (captureMode === 'IPTABLES') {
    place.at('captureMode').invalid(captureMode, 'a Unix socket is not intercepted', 'Use DEFAULT or NONE.');
  }
}

function checkEgress(place: Place, listeners: readonly SidecarEgress[]): void {
  const ports = new Bound();
  for (const [index, listener] of listeners.entries()) {
    const here = place.at(index);
    if (listener.port !== undefined) {
      checkEgressPort(here, listener, listener.port, ports);
    } else if (index < listeners.length - 1) {
      here
        .at('port')
        .required('only the last listener may be without: it takes what is left', 'Add a port, or move it to the end.');
    }
    if (listener.hosts.length === 0) {
      here.at('hosts').required('the listener reaches nothing', 'Name hosts; ~/* is for reaching nothing on purpose.');
    }
    for (const [at, host] of listener.hosts.entries()) {
      checkHostWithNamespace(here.at('hosts', at), host, { namespaceNeeded: true, signs: ['.', '*', '~'] });
    }
  }
}

function checkOutbound(place: Place, { mode, egressProxy }: NonNullable<SidecarSpec['outboundTrafficPolicy']>): void {
  if (egressProxy === undefined) {
    return;
  }
  if (mode !== 'ALLOW_ANY') {
    place
      .at('egressProxy')
      .forbidden('without mode ALLOW_ANY there is nothing to send on', 'Remove it, or set mode to ALLOW_ANY.');
  }
  const here = place.at('egressProxy');
  if (!isHostName(egressProxy.host)) {
    here.at('host').invalid(egressProxy.host, 'not a host name', 'Write it as gateway.istio-system.svc.cluster.local.');
  }
  if (egressProxy.port?.number === undefined) {
    here.at('port', 'number').required('the port is missing', 'Name the port of the gateway.');
  } else {
    checkPortNumber(here.at('port', 'number'), egressProxy.port.number);
  }
}

export function validateSidecar({ spec = {} }: Sidecar): Violation[] {
  const root = Place.root();
  const place = root.at('spec');
  const { ingress = [], egress = [], inboundConnectionPool, outboundTrafficPolicy } = spec;
  if (
    ingress.length === 0 &&
    egress.length === 0 &&
    inboundConnectionPool === undefined &&
    outboundTrafficPolicy === undefined
  ) {
    place.required('nothing is configured', 'Add ingress, egress, inboundConnectionPool or outboundTrafficPolicy.');
  }
  checkWorkloadLabels(place.at('workloadSelector', 'labels'), spec.workloadSelector?.labels);
  checkIngress(place.at('ingress'), ingress);
  checkEgress(place.at('egress'), egress);
  if (inboundConnectionPool !== undefined) {
    checkConnectionPool(place.at('inboundConnectionPool'), inboundConnectionPool);
  }
  if (outboundTrafficPolicy !== undefined) {
    checkOutbound(place.at('outboundTrafficPolicy'), outboundTrafficPolicy);
  }
  return root.violations;
}
