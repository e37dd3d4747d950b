import type { MeshKindName } from '../kinds.ts';
import { isEditable, isHostHeader } from '../to-ir/header-edits.ts';
import { headerFormatSupported } from '../to-ir/header-format.ts';
import { isReachableUnixAddress, isUnixAddress } from '../unix-address.ts';
import { FieldTree, type ValueTest } from './field-tree.ts';

/** What this translator acts upon, by kind: all that it reads, and for some fields only some values. */

type Paths = Readonly<Record<string, true | ValueTest>>;

const oneOf =
  (...values: readonly unknown[]): ValueTest =>
  (value) =>
    values.includes(value);

function under(prefix: string, paths: Paths): Paths {
  return Object.fromEntries(Object.entries(paths).map(([path, test]) => [`${prefix}.${path}`, test]));
}

function all(prefix: string, ...names: readonly string[]): Paths {
  return Object.fromEntries(names.map((name) => [`${prefix}${name}`, true as const]));
}

const supportedHeader: ValueTest = (value, key) => isEditable(key) && headerFormatSupported(String(value));
const supportedName: ValueTest = (value) => isEditable(String(value));

/** @param host whether the host can be set here. */
function headers(host: boolean): Paths {
  return {
    'request.set{}': (value, key) => (host && isHostHeader(key)) || supportedHeader(value, key),
    'request.add{}': supportedHeader,
    'request.remove[]': supportedName,
    'response.set{}': supportedHeader,
    'response.add{}': supportedHeader,
    'response.remove[]': supportedName,
  };
}

const stringMatch = ['.exact', '.prefix', '.regex'];

const source: Paths = {
  port: true,
  'sourceLabels{}': true,
  sourceNamespace: true,
  'gateways[]': true,
};

const destination: Paths = {
  'destination.host': true,
  'destination.subset': true,
  'destination.port.number': true,
  weight: true,
};

const httpRoute: Paths = {
  name: true,
  ...under('match[]', {
    name: true,
    ...all('uri', ...stringMatch),
    ...all('scheme', ...stringMatch),
    ...all('method', ...stringMatch),
    ...all('authority', ...stringMatch),
    'headers{}': true,
    ...all('headers{}', ...stringMatch),
    'withoutHeaders{}': true,
    ...all('withoutHeaders{}', ...stringMatch),
    'queryParams{}': true,
    ...all('queryParams{}', ...stringMatch),
    ignoreUriCase: true,
    statPrefix: true,
    ...source,
  }),
  ...under('route[]', { ...destination, ...under('headers', headers(true)) }),
  ...all('redirect.', 'uri', 'prefixRewrite', 'authority', 'port', 'scheme'),
  'redirect.derivePort': true,
  'redirect.redirectCode': oneOf(0, 301, 302, 303, 307, 308),
  ...all('directResponse.', 'status', 'body.string', 'body.bytes'),
  ...all('rewrite.', 'uri', 'authority', 'uriRegexRewrite.match', 'uriRegexRewrite.rewrite'),
  timeout: true,
  ...all(
    'retries.',
    'attempts',
    'perTryTimeout',
    'retryOn',
    'retryIgnorePreviousHosts',
    'backoff',
    'retryRemoteLocalities',
  ),
  ...under('headers', headers(true)),
  ...all('delegate.', 'name', 'namespace'),
  ...all('fault.delay.', 'fixedDelay', 'percent', 'percentage.value'),
  ...all('fault.abort.', 'httpStatus', 'grpcStatus', 'percentage.value'),
  ...all('mirror.', 'host', 'subset', 'port.number'),
  ...all('mirrors[].', 'destination.host', 'destination.subset', 'destination.port.number', 'percentage.value'),
  ...all('', 'mirrorPercent', 'mirror_percent', 'mirrorPercentage.value'),
  ...under('corsPolicy', {
    ...all('allowOrigins[]', ...stringMatch),
    ...all('', 'allowOrigin[]', 'allowMethods[]', 'allowHeaders[]', 'exposeHeaders[]'),
    ...all('', 'maxAge', 'allowCredentials', 'unmatchedPreflights'),
  }),
};

const policy: Paths = {
  'loadBalancer.simple': oneOf('UNSPECIFIED', 'ROUND_ROBIN', 'LEAST_REQUEST', 'LEAST_CONN', 'RANDOM', 'PASSTHROUGH'),
  ...under('loadBalancer.consistentHash', {
    ...all('', 'httpHeaderName', 'useSourceIp', 'httpQueryParameterName', 'minimumRingSize'),
    ...all('httpCookie.', 'name', 'path', 'ttl', 'attributes[].name', 'attributes[].value'),
    ...all('', 'ringHash.minimumRingSize', 'maglev.tableSize'),
  }),
  ...under('loadBalancer.localityLbSetting', {
    ...all('', 'enabled', 'distribute[].from', 'distribute[].to{}'),
    ...all('', 'failover[].from', 'failover[].to', 'failoverPriority[]'),
  }),
  ...under('loadBalancer.zoneAwareLbSetting', {
    ...all('', 'enabled', 'minClusterSize', 'failover[].from', 'failover[].to', 'failoverPriority[]'),
  }),
  ...all('loadBalancer.', 'warmupDurationSecs', 'warmup.duration', 'warmup.minimumPercent', 'warmup.aggression'),
  ...all('connectionPool.tcp.', 'maxConnections', 'connectTimeout', 'maxConnectionDuration', 'idleTimeout'),
  ...all('connectionPool.tcp.tcpKeepalive.', 'time', 'interval', 'probes'),
  ...all(
    'connectionPool.http.',
    'http1MaxPendingRequests',
    'http2MaxRequests',
    'maxRequestsPerConnection',
    'maxRetries',
    'idleTimeout',
    'h2UpgradePolicy',
    'useClientProtocol',
    'maxConcurrentStreams',
    'http2KeepAlive.interval',
    'http2KeepAlive.timeout',
  ),
  ...all(
    'outlierDetection.',
    'consecutiveErrors',
    'splitExternalLocalOriginErrors',
    'consecutiveLocalOriginFailures',
    'consecutiveGatewayErrors',
    'consecutive5xxErrors',
    'interval',
    'baseEjectionTime',
    'maxEjectionPercent',
    'minHealthPercent',
    'outlierDetectionHttpErrorCodes[]',
  ),
  ...all(
    'tls.',
    'mode',
    'clientCertificate',
    'privateKey',
    'caCertificates',
    'credentialName',
    'subjectAltNames[]',
    'sni',
    'insecureSkipVerify',
    'caCrl',
  ),
};

const trafficPolicy: Paths = {
  ...policy,
  'proxyProtocol.version': true,
  ...all('tunnel.', 'protocol', 'targetHost', 'targetPort'),
  ...all('retryBudget.', 'percent', 'minRetryConcurrency', 'budgetInterval'),
  ...under('portLevelSettings[]', { 'port.number': true, ...policy }),
};

/** The application speaks what its port says, so that nothing is upgraded. */
const inboundPool: Paths = {
  ...all('tcp.', 'maxConnections', 'connectTimeout', 'maxConnectionDuration', 'idleTimeout', 'tcpKeepalive.time'),
  ...all('http.', 'http1MaxPendingRequests', 'http2MaxRequests', 'maxRequestsPerConnection', 'maxRetries'),
  ...all('http.', 'idleTimeout', 'maxConcurrentStreams', 'http2KeepAlive.interval', 'http2KeepAlive.timeout'),
};

const workload: Paths = all('', 'address', 'ports{}', 'labels{}', 'locality', 'weight', 'serviceAccount');

const actedUpon: Readonly<Partial<Record<MeshKindName, Paths>>> = {
  '/Service': {
    'spec.type': oneOf('ClusterIP', 'ExternalName'),
    'spec.externalName': true,
    'spec.clusterIP': oneOf('None', ''),
    'spec.trafficDistribution': oneOf('PreferClose', 'PreferSameZone'),
    'spec.selector{}': true,
    ...under('spec.ports[]', { name: true, port: true, targetPort: true, appProtocol: true, protocol: oneOf('TCP') }),
    'spec.sessionAffinity': true,
    'spec.internalTrafficPolicy': oneOf('Cluster'),
  },
  'networking.istio.io/ServiceEntry': {
    'spec.hosts[]': true,
    ...under('spec.ports[]', { number: true, name: true, protocol: true, targetPort: true }),
    'spec.location': true,
    'spec.resolution': true,
    'spec.addresses[]': true,
    ...under('spec.endpoints[]', workload),
    'spec.workloadSelector.labels{}': true,
    'spec.exportTo[]': true,
    'spec.subjectAltNames[]': true,
  },
  'networking.istio.io/Gateway': {
    'spec.selector{}': true,
    ...under('spec.servers[]', {
      ...all('', 'name', 'hosts[]', 'port.number', 'port.name'),
      bind: (value) => !isUnixAddress(String(value)) || isReachableUnixAddress(String(value)),
      'port.protocol': oneOf('HTTP', 'HTTP2', 'GRPC', 'GRPC-WEB', 'HTTPS', 'TLS', 'TCP'),
      'tls.httpsRedirect': true,
      'tls.mode': oneOf('PASSTHROUGH', 'SIMPLE', 'MUTUAL', 'OPTIONAL_MUTUAL', 'ISTIO_MUTUAL'),
      'tls.minProtocolVersion': oneOf('TLS_AUTO', 'TLSV1_2', 'TLSV1_3'),
      'tls.maxProtocolVersion': oneOf('TLS_AUTO', 'TLSV1_2', 'TLSV1_3'),
      ...all(
        'tls.',
        'serverCertificate',
        'privateKey',
        'caCertificates',
        'tlsCertificates[].serverCertificate',
        'tlsCertificates[].privateKey',
        'credentialName',
        'credentialNames[]',
        'caCertCredentialName',
        'subjectAltNames[]',
        'cipherSuites[]',
        'caCrl',
        'verifyCertificateSpki[]',
        'verifyCertificateHash[]',
      ),
    }),
  },
  'networking.istio.io/WorkloadEntry': under('spec', workload),
  'networking.istio.io/WorkloadGroup': {
    ...all('spec.metadata.', 'labels{}', 'annotations{}'),
    ...all('spec.template.', 'labels{}', 'serviceAccount', 'locality', 'weight'),
    ...all('spec.probe.', 'initialDelaySeconds', 'timeoutSeconds', 'periodSeconds', 'successThreshold'),
    ...all('spec.probe.', 'failureThreshold', 'tcpSocket.host', 'tcpSocket.port', 'httpGet.path', 'httpGet.port'),
    ...all('spec.probe.httpGet.', 'host', 'httpHeaders[].name', 'httpHeaders[].value'),
    'spec.probe.httpGet.scheme': oneOf('HTTP', 'HTTPS', ''),
    ...all('spec.probe.grpc.', 'port', 'service'),
  },
  'networking.istio.io/ProxyConfig': { 'spec.concurrency': true, 'spec.selector.matchLabels{}': true },
  'networking.istio.io/Sidecar': {
    'spec.workloadSelector.labels{}': true,
    // What is spoken at a port is what its service says.
    ...all('spec.egress[].', 'hosts[]', 'port.number', 'port.name', 'port.protocol', 'bind'),
    'spec.egress[].captureMode': oneOf('DEFAULT', 'NONE'),
    ...all('spec.ingress[].', 'port.number', 'port.name', 'port.protocol', 'bind', 'defaultEndpoint'),
    'spec.ingress[].captureMode': oneOf('DEFAULT', 'NONE'),
    'spec.ingress[].tls.mode': true,
    ...all('spec.ingress[].tls.', 'serverCertificate', 'privateKey', 'caCertificates', 'cipherSuites[]'),
    ...all('spec.ingress[].tls.tlsCertificates[].', 'serverCertificate', 'privateKey'),
    ...all('spec.ingress[].tls.', 'minProtocolVersion', 'maxProtocolVersion', 'caCrl'),
    ...all('spec.ingress[].tls.', 'verifyCertificateSpki[]', 'verifyCertificateHash[]'),
    ...under('spec.ingress[].connectionPool', inboundPool),
    ...under('spec.inboundConnectionPool', inboundPool),
    'spec.outboundTrafficPolicy.mode': true,
    ...all('spec.outboundTrafficPolicy.egressProxy.', 'host', 'subset', 'port.number'),
  },
  'networking.istio.io/VirtualService': {
    'spec.hosts[]': true,
    'spec.gateways[]': true,
    'spec.exportTo[]': true,
    ...under('spec.http[]', httpRoute),
    ...under('spec.tls[]', {
      ...under('match[]', { 'sniHosts[]': true, 'destinationSubnets[]': true, ...source }),
      ...under('route[]', destination),
    }),
    ...under('spec.tcp[]', {
      ...under('match[]', { 'destinationSubnets[]': true, ...source }),
      ...under('route[]', destination),
    }),
  },
  'networking.istio.io/DestinationRule': {
    'spec.host': true,
    ...under('spec.subsets[]', { name: true, 'labels{}': true, ...under('trafficPolicy', trafficPolicy) }),
    ...under('spec.trafficPolicy', trafficPolicy),
    'spec.exportTo[]': true,
    'spec.workloadSelector.matchLabels{}': true,
  },
  'security.istio.io/PeerAuthentication': {
    'spec.selector.matchLabels{}': true,
    'spec.mtls.mode': true,
    'spec.portLevelMtls{}.mode': true,
  },
  'weft.dev/Proxy': {
    'spec.engine': true,
    'spec.role': oneOf('sidecar', 'gateway'),
    ...all('spec.gateway.', 'address', 'ports[].port', 'ports[].listenPort'),
    'spec.serviceAccount': true,
    ...all('spec.httpProxy.', 'address', 'port'),
    ...all('spec.inbound[].', 'name', 'protocol', 'address', 'port', 'appAddress', 'appPort'),
    ...all('spec.upstreams[].', 'host', 'port', 'listenAddress', 'listenPort'),
    'spec.unixSockets[]': true,
    'spec.draining': true,
  },
};

/** The allow-list of each kind that has a status. */
export const fieldTrees: ReadonlyMap<MeshKindName, FieldTree> = new Map(
  Object.entries(actedUpon).map(([kind, paths]) => [kind as MeshKindName, new FieldTree(paths)]),
);
