import { choice, decimal, flag, int32, integer, list, map, object, text, uint32 } from '../../schema/fields.ts';
import { duration } from './route-parts-schema.ts';

/** @param description what the connections are. */
export function connectionPool(description = 'Limits and life of connections to the endpoints.') {
  return object(description, {
    tcp: object('For all connections.', {
      maxConnections: int32('Connections to the host at most.'),
      connectTimeout: duration('Longest wait for a connection. Default 10s.'),
      maxConnectionDuration: duration('Longest life of a connection.'),
      idleTimeout: text('Time after which a connection without traffic is closed. Default 1h; 0s switches it off.'),
      tcpKeepalive: object('Keep-alive probes of TCP.', {
        probes: uint32('Probes without answer before a connection counts as dead. Default: that of the system.'),
        time: duration('Idle time before the first probe.'),
        interval: duration('Time between probes.'),
      }),
    }),
    http: object('For HTTP.', {
      http1MaxPendingRequests: int32('Requests that wait for a connection at most.'),
      http2MaxRequests: int32('Requests under way to the host at most.'),
      maxRequestsPerConnection: int32('Requests on one connection at most; 1 switches keep-alive off.'),
      maxRetries: int32('Retries under way to the host at most.'),
      idleTimeout: duration('Time after which a connection without requests is closed. Default 1h.'),
      h2UpgradePolicy: choice('Whether HTTP/1.1 is sent as HTTP/2.', ['DEFAULT', 'DO_NOT_UPGRADE', 'UPGRADE']),
      useClientProtocol: flag('Whether requests are sent in the version of HTTP in which they came.'),
      maxConcurrentStreams: int32('Streams on one HTTP/2 connection at most.'),
      http2KeepAlive: object('Keep-alive of HTTP/2 by PING frames.', {
        interval: duration('Time between PINGs.'),
        timeout: duration('Longest wait for the answer to one.'),
      }),
    }),
  });
}

function consistentHash() {
  return object(
    'Choose the endpoint by a hash, so that like requests go to the same one. One of httpHeaderName, httpCookie, useSourceIp and httpQueryParameterName.',
    {
      httpHeaderName: text('Hash the value of this header field.'),
      httpCookie: object(
        'Hash the value of a cookie; a cookie is made where there is none.',
        {
          name: text('Name of the cookie.'),
          path: text('Path of the cookie.'),
          ttl: text('Life of a cookie that is made; 0s makes one for the session.'),
          attributes: list(
            'Further attributes of a cookie that is made.',
            object('One attribute.', { name: text('Its name.'), value: text('Its value.') }, ['name']),
          ),
        },
        ['name'],
      ),
      useSourceIp: flag('Hash the address of the client.'),
      httpQueryParameterName: text('Hash the value of this query parameter.'),
      minimumRingSize: integer('Smallest number of places on the ring. Use `ringHash`.', { min: 0 }),
      ringHash: object('The ring (ketama) algorithm.', {
        minimumRingSize: integer('Smallest number of places on the ring. Default 1024.', { min: 0 }),
      }),
      maglev: object('The Maglev algorithm.', {
        tableSize: integer('Size of the table, a prime number. Default 65537.', { min: 0 }),
      }),
    },
  );
}

function localityFailover() {
  return list(
    'Which region takes over from which.',
    object('One pair.', { from: text('Region that fails.'), to: text('Region that takes over.') }),
  );
}

function loadBalancer() {
  return object('How an endpoint is chosen. One of simple and consistentHash.', {
    simple: choice('A standard algorithm. UNSPECIFIED, the default, is LEAST_REQUEST; LEAST_CONN is its old name.', [
      'UNSPECIFIED',
      'LEAST_CONN',
      'RANDOM',
      'PASSTHROUGH',
      'ROUND_ROBIN',
      'LEAST_REQUEST',
    ]),
    consistentHash: consistentHash(),
    localityLbSetting: object('How localities are preferred.', {
      enabled: flag('Switches the setting on or off, whatever the mesh says.'),
      distribute: list(
        'Shares of the traffic from one locality to others.',
        object('Shares for one locality.', {
          from: text('Where the traffic comes from: region/zone/subzone, `*` for any.'),
          to: map('Percent by locality; they sum up to 100.', uint32('Percent.')),
        }),
      ),
      failover: localityFailover(),
      failoverPriority: list(
        'Labels, in this order, by which endpoints like the caller are preferred.',
        text('A label, or label=value.'),
      ),
    }),
    zoneAwareLbSetting: object('Prefer the own zone as far as that keeps the load even.', {
      enabled: flag('Switches the setting on or off, whatever the mesh says.'),
      failover: localityFailover(),
      failoverPriority: list(
        'Labels, in this order, by which endpoints like the caller are preferred.',
        text('A label, or label=value.'),
      ),
      minClusterSize: integer('Smallest number of endpoints for which the setting counts.', { min: 1 }),
    }),
    warmupDurationSecs: duration('How long a new endpoint is spared. Use `warmup`.'),
    warmup: object(
      'Spare new endpoints: their share grows to the full one.',
      {
        duration: duration('How long that takes.'),
        minimumPercent: decimal('Share at the beginning, in percent. Default 10.', { min: 0, max: 100 }),
        aggression: decimal('How the share grows: 1 (default) evenly, more means faster at first.', { min: 0 }),
      },
      ['duration'],
    ),
  });
}

function outlierDetection() {
  return object('Take endpoints that fail out of the choice for a while.', {
    consecutiveErrors: int32('Old name of consecutiveGatewayErrors.'),
    splitExternalLocalOriginErrors: flag('Whether failures to connect are counted apart from bad answers.'),
    consecutiveLocalOriginFailures: uint32('Failures to connect in a row that eject.'),
    consecutiveGatewayErrors: uint32('Answers 502, 503 and 504 in a row that eject.'),
    consecutive5xxErrors: uint32('Answers 5xx in a row that eject. Default 5; 0 switches it off.'),
    interval: duration('Time between looks. Default 10s.'),
    baseEjectionTime: duration('Time of the first ejection; each further one is longer by as much. Default 30s.'),
    maxEjectionPercent: int32('Part of the endpoints that may be ejected, in percent. Default 10.'),
    minHealthPercent: int32('Part of the endpoints below which nothing is ejected any more, in percent. Default 0.'),
    outlierDetectionHttpErrorCodes: list(
      'Answers that count as failures in place of 5xx.',
      integer('A status code.', { min: 100, max: 599 }),
    ),
  });
}

function clientTls() {
  return object('TLS towards the endpoints.', {
    mode: choice('No TLS, TLS, TLS with a client certificate of your own, or that of the mesh.', [
      'DISABLE',
      'SIMPLE',
      'MUTUAL',
      'ISTIO_MUTUAL',
    ]),
    clientCertificate: text('File with the certificate of the client; for MUTUAL.'),
    privateKey: text('File with the private key of the client; for MUTUAL.'),
    caCertificates: text('File with the certificates that the server is checked against.'),
    credentialName: text('Secret with key pair and certificates, in place of files.'),
    subjectAltNames: list('Names of which the certificate of the server must have one.', text('A name.')),
    sni: text('Server name to send (SNI).'),
    insecureSkipVerify: flag('Do not check the server at all.'),
    caCrl: text('File with a list of revoked certificates.'),
  });
}

/** What a policy for one port can say. Built once for all of a DestinationRule's policies: it is large. */
export function portPolicy() {
  return {
    loadBalancer: loadBalancer(),
    connectionPool: connectionPool(),
    outlierDetection: outlierDetection(),
    tls: clientTls(),
  };
}

/** TrafficPolicy of a DestinationRule or of one of its subsets. */
export function trafficPolicy(description: string, parts: ReturnType<typeof portPolicy>) {
  return object(description, {
    ...parts,
    portLevelSettings: list(
      'Policies for single ports. What one of them leaves out has its default, not the value above.',
      object('Policy for one port.', {
        port: object('The port of the service.', { number: uint32('Its number.') }),
        ...parts,
      }),
      { max: 4096 },
    ),
    tunnel: object(
      'Send TCP through a proxy that understands CONNECT.',
      {
        protocol: text('CONNECT (default) or POST.'),
        targetHost: text('Host that the proxy is to connect to.'),
        targetPort: uint32('Port that the proxy is to connect to.'),
      },
      ['targetHost', 'targetPort'],
    ),
    proxyProtocol: object('Send the PROXY protocol at the beginning of each connection.', {
      version: choice('Its version. Default V1.', ['V1', 'V2']),
    }),
    retryBudget: object('Retries that may be under way, as a part of all requests.', {
      percent: decimal('Retries in percent of requests. Default 20.', { min: 0, max: 100 }),
      budgetInterval: text('Requests of so much time count, 10ms at least. Default: those that are under way.'),
      minRetryConcurrency: uint32('Retries that are always allowed. Default 3.'),
    }),
  });
}
