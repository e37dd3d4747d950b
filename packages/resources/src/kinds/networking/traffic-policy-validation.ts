import { isIpAddress } from '../../format/address.ts';
import { checkDuration, checkDurationOrZero } from '../../format/duration.ts';
import { isHostName } from '../../format/hosts.ts';
import type { Place } from '../../place.ts';
import type { PortTrafficPolicy, TrafficPolicy } from './destination-rule.ts';
import { checkNotNegative, checkPercent, checkPortNumber } from './istio-checks.ts';
import { checkLoadBalancer } from './load-balancer-validation.ts';

export type ConnectionPool = NonNullable<TrafficPolicy['connectionPool']>;
type OutlierDetection = NonNullable<TrafficPolicy['outlierDetection']>;
type ClientTls = NonNullable<TrafficPolicy['tls']>;
type Tunnel = NonNullable<TrafficPolicy['tunnel']>;

export function checkConnectionPool(place: Place, { http, tcp }: ConnectionPool): void {
  if (http === undefined && tcp === undefined) {
    place.required('connectionPool has neither tcp nor http', 'Add one of them.');
  }
  if (http !== undefined) {
    const here = place.at('http');
    for (const field of [
      'http1MaxPendingRequests',
      'http2MaxRequests',
      'maxRequestsPerConnection',
      'maxRetries',
      'maxConcurrentStreams',
    ] as const) {
      checkNotNegative(here.at(field), http[field]);
    }
    checkDuration(here.at('idleTimeout'), http.idleTimeout);
    checkDuration(here.at('http2KeepAlive', 'interval'), http.http2KeepAlive?.interval);
    checkDuration(here.at('http2KeepAlive', 'timeout'), http.http2KeepAlive?.timeout);
    if (http.h2UpgradePolicy === 'UPGRADE' && http.useClientProtocol === true) {
      here.at('useClientProtocol').conflict('h2UpgradePolicy is UPGRADE', 'Remove one of the two.');
    }
  }
  if (tcp !== undefined) {
    const here = place.at('tcp');
    checkNotNegative(here.at('maxConnections'), tcp.maxConnections);
    checkDuration(here.at('connectTimeout'), tcp.connectTimeout);
    checkDuration(here.at('maxConnectionDuration'), tcp.maxConnectionDuration);
    checkDurationOrZero(here.at('idleTimeout'), tcp.idleTimeout);
    checkDuration(here.at('tcpKeepalive', 'time'), tcp.tcpKeepalive?.time);
    checkDuration(here.at('tcpKeepalive', 'interval'), tcp.tcpKeepalive?.interval);
  }
}

function checkOutlierDetection(place: Place, outlier: OutlierDetection): void {
  checkDuration(place.at('interval'), outlier.interval);
  checkDuration(place.at('baseEjectionTime'), outlier.baseEjectionTime);
  checkNotNegative(place.at('consecutiveErrors'), outlier.consecutiveErrors);
  checkPercent(place.at('maxEjectionPercent'), outlier.maxEjectionPercent);
  checkPercent(place.at('minHealthPercent'), outlier.minHealthPercent);
  if ((outlier.consecutiveLocalOriginFailures ?? 0) > 0 && outlier.splitExternalLocalOriginErrors !== true) {
    place
      .at('consecutiveLocalOriginFailures')
      .conflict(
        'failures to connect are not counted apart, since splitExternalLocalOriginErrors is false',
        'Set splitExternalLocalOriginErrors to true, or remove the field.',
      );
  }
}

function checkClientTls(place: Place, tls: ClientTls): void {
  const set = (field: 'clientCertificate' | 'privateKey' | 'caCertificates' | 'credentialName' | 'caCrl'): boolean =>
    (tls[field] ?? '') !== '';
  const files = ['clientCertificate', 'privateKey', 'caCertificates'] as const;
  const mode = tls.mode ?? 'DISABLE';
  if (mode === 'ISTIO_MUTUAL') {
    const others = [...files, 'credentialName', 'caCrl'] as const;
    for (const field of others.filter(set)) {
      place
        .at(field)
        .forbidden('mode ISTIO_MUTUAL uses the certificates of the mesh', 'Remove it, or use mode MUTUAL.');
    }
    return;
  }
  if (set('credentialName')) {
    for (const field of [...files, 'caCrl'].filter((name) => set(name as 'caCrl'))) {
      place.at(field).conflict('credentialName names a secret with all of it', 'Remove the file, or credentialName.');
    }
  } else if (mode === 'MUTUAL') {
    for (const field of ['clientCertificate', 'privateKey'] as const) {
      if (!set(field)) {
        place.at(field).required('mode MUTUAL needs it', 'Name the file, or name a secret by credentialName.');
      }
    }
  }
  if (tls.insecureSkipVerify === true) {
    for (const field of ['caCertificates', 'caCrl'] as const) {
      if (set(field)) {
        place.at(field).conflict('insecureSkipVerify is set, so nothing is checked', 'Remove one of the two.');
      }
    }
    if ((tls.subjectAltNames ?? []).length > 0) {
      place
        .at('subjectAltNames')
        .conflict('insecureSkipVerify is set, so nothing is checked', 'Remove one of the two.');
    }
  }
}

function checkTunnel(place: Place, { protocol, targetHost, targetPort }: Tunnel): void {
  if (protocol !== undefined && !['', 'CONNECT', 'POST'].includes(protocol)) {
    place.at('protocol').unsupported(protocol, ['CONNECT', 'POST']);
  }
  if (!isIpAddress(targetHost) && !isHostName(targetHost)) {
    place
      .at('targetHost')
      .invalid(targetHost, 'neither an IP address nor a host name', 'Use a name such as example.com.');
  }
  checkPortNumber(place.at('targetPort'), targetPort);
}

/** What a policy and one for a single port have in common. */
function checkParts(place: Place, policy: TrafficPolicy | PortTrafficPolicy): void {
  if (policy.connectionPool !== undefined) {
    checkConnectionPool(place.at('connectionPool'), policy.connectionPool);
  }
  if (policy.loadBalancer !== undefined) {
    checkLoadBalancer(place.at('loadBalancer'), policy.loadBalancer);
  }
  if (policy.outlierDetection !== undefined) {
    checkOutlierDetection(place.at('outlierDetection'), policy.outlierDetection);
  }
  if (policy.tls !== undefined) {
    checkClientTls(place.at('tls'), policy.tls);
  }
}

export function checkTrafficPolicy(place: Place, policy: TrafficPolicy): void {
  if (Object.keys(policy).length === 0) {
    place.required('the traffic policy is empty', 'Add a field, or remove it.');
  }
  checkParts(place, policy);
  const ports = new Set<number>();
  for (const [index, settings] of (policy.portLevelSettings ?? []).entries()) {
    const here = place.at('portLevelSettings', index);
    const { port, ...rest } = settings;
    if (port?.number === undefined) {
      here.at('port', 'number').required('the port is missing', 'Name the port of the service.');
    } else {
      checkPortNumber(here.at('port', 'number'), port.number);
      if (ports.has(port.number)) {
        here.at('port', 'number').duplicate(port.number, 'Join the two settings for the port.');
      }
      ports.add(port.number);
    }
    if (Object.keys(rest).length === 0) {
      here.required('nothing is set for the port', 'Add a field, or remove the item.');
    }
    checkParts(here, settings);
  }
  if (policy.tunnel !== undefined) {
    checkTunnel(place.at('tunnel'), policy.tunnel);
  }
  checkDuration(place.at('retryBudget', 'budgetInterval'), policy.retryBudget?.budgetInterval);
}
