import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OutboundCluster } from './cluster.ts';
import { type HttpRoutes, noHeaderEdits, plainForward } from './http-route.ts';
import { validate } from './validate.ts';
import type { WorkloadIr } from './workload-ir.ts';

const cluster: OutboundCluster = {
  name: 'outbound|80||a.example',
  host: 'a.example',
  port: 80,
  subset: '',
  service: { name: 'a', namespace: 'n' },
  protocol: 'http-by-alpn',
  discovery: { kind: 'endpoints', assignment: 'outbound|80||a.example' },
  connectTimeoutMs: 10_000,
  loadBalancer: { kind: 'least-request' },
  hash: undefined,
  slowStart: undefined,
  byLocalityWeight: false,
  outlierDetection: undefined,
  panicPercent: undefined,
  limits: { maxConnections: 1, maxPendingRequests: 1, maxRequests: 1, maxRetries: 1 },
  maxRequestsPerConnection: 0,
  maxConcurrentStreams: undefined,
  httpIdleTimeoutMs: undefined,
  http2Keepalive: undefined,
  tcp: { idleTimeoutMs: undefined, maxDurationMs: undefined },
  proxyProtocol: undefined,
  tcpKeepalive: undefined,
  tls: { kind: 'auto', mutual: { sni: 'outbound_.80_._.a.example', peerIds: ['spiffe://td/ns/n/sa/a'] } },
  origins: [],
};

function routesTo(name: string, resolved: boolean, weight = 1): HttpRoutes {
  return {
    routes: [
      {
        name: 'default',
        match: { path: { kind: 'prefix', value: '/', ignoreCase: false }, headers: [], query: [] },
        action: {
          ...plainForward,
          destinations: [{ cluster: name, weight, resolved, headers: noHeaderEdits }],
        },
        headers: noHeaderEdits,
        fault: undefined,
        cors: undefined,
      },
    ],
    origins: [],
  };
}

const sound: WorkloadIr = {
  workload: { engine: 'weft', namespace: 'n', name: 'w', identity: 'spiffe://td/ns/n/sa/w', trustDomain: 'td' },
  accessLogPath: undefined,
  pathNormalization: 'base',
  httpProxy: {
    listen: { address: '127.0.0.1', port: 15_080 },
    virtualHosts: [{ authority: 'a.example', routes: routesTo(cluster.name, true) }],
  },
  upstreams: [],
  inbound: [],
  gateway: [],
  grpcTargets: undefined,
  clusters: [cluster],
  origins: [],
};

function pathsOf(ir: WorkloadIr): readonly string[] {
  return validate(ir).map(({ path }) => path);
}

test('a sound IR has no problems', () => {
  assert.deepEqual(validate(sound), []);
});

test('a route to a cluster that is not there must say so', () => {
  const httpProxy = {
    listen: { address: '127.0.0.1', port: 15_080 },
    virtualHosts: [{ authority: 'a', routes: routesTo('outbound|1||b', true) }],
  };
  const at = 'httpProxy.virtualHosts[0].routes.routes[0].action.destinations[0].cluster';
  assert.deepEqual(pathsOf({ ...sound, httpProxy }), [at]);
  const honest = { ...httpProxy, virtualHosts: [{ authority: 'a', routes: routesTo('outbound|1||b', false) }] };
  assert.deepEqual(pathsOf({ ...sound, httpProxy: honest }), []);
  const modest = { ...httpProxy, virtualHosts: [{ authority: 'a', routes: routesTo(cluster.name, false) }] };
  assert.deepEqual(pathsOf({ ...sound, httpProxy: modest }), [at]);
});

test('shares must add up to something', () => {
  const virtualHosts = [{ authority: 'a', routes: routesTo(cluster.name, true, 0) }];
  const httpProxy = { listen: { address: '127.0.0.1', port: 15_080 }, virtualHosts };
  assert.deepEqual(pathsOf({ ...sound, httpProxy }), [
    'httpProxy.virtualHosts[0].routes.routes[0].action.destinations',
  ]);
});

test('names are distinct and in order', () => {
  assert.deepEqual(pathsOf({ ...sound, clusters: [cluster, cluster] }), ['clusters[1]']);
  assert.deepEqual(pathsOf({ ...sound, clusters: [cluster, { ...cluster, name: 'a' }] }), ['clusters[1]']);
});

test('one socket is listened on once, and its port is one', () => {
  const inbound = {
    name: 'http',
    protocol: 'http',
    listen: { address: '127.0.0.1', port: 15_080 },
    app: { address: '127.0.0.1', port: 0 },
    mutualTls: 'strict',
    service: undefined,
    origins: [],
  } as const;
  assert.deepEqual(pathsOf({ ...sound, inbound: [inbound] }), ['inbound[0].listen', 'inbound[0].app.port']);
  const gateway = { port: 0, bind: 'unix:///a', proxyProtocol: false, trustedHops: 0, virtualHosts: [], origins: [] };
  const chains = [{ name: 'a', serverNames: [], tls: undefined, traffic: { kind: 'http' } }] as const;
  const at = (port: number) => ({ ...gateway, chains, listen: { address: 'unix:///a', port } });
  assert.deepEqual(pathsOf({ ...sound, gateway: [at(0)] }), []);
  assert.deepEqual(pathsOf({ ...sound, gateway: [at(0), at(0)] }), ['gateway[1].listen']);
  assert.deepEqual(pathsOf({ ...sound, gateway: [at(80)] }), ['gateway[0].listen.port']);
});

test('mutual TLS without a peer to expect would accept anyone', () => {
  const open = { ...cluster, tls: { kind: 'mutual', mutual: { sni: 's', peerIds: [] } } } as const;
  assert.deepEqual(pathsOf({ ...sound, clusters: [open] }), ['clusters[0].tls.mutual.peerIds']);
});
