import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { noHeaderEdits, type OutboundCluster, plainForward, unlimited, type WorkloadIr } from '@weft/ir';
import { eventually, freePort } from '@weft/testkit';
import { type EncodedResource, encodeResource } from '@weft/xds-server';
import { typeUrls } from '@weft/xds-types';
import { Cluster } from '@weft/xds-types/envoy/config/cluster/v3/cluster.ts';
import { ClusterLoadAssignment } from '@weft/xds-types/envoy/config/endpoint/v3/endpoint.ts';
import { loadAssignment } from '../../translate/src/to-xds/endpoint.ts';
import {
  call,
  certificateServer,
  endpointOf,
  idOf,
  resourcesOf,
  startApp,
  startProxy,
  TestControlPlane,
  type TestProxy,
  workloadIr,
} from './f-support/test-mesh.ts';

const host = 'server.shop.svc.cluster.local';
const clusterName = `outbound|80||${host}`;

const cluster: OutboundCluster = {
  name: clusterName,
  host,
  port: 80,
  subset: '',
  service: { name: 'server', namespace: 'shop' },
  protocol: 'http-by-alpn',
  discovery: { kind: 'endpoints', assignment: clusterName },
  connectTimeoutMs: 5000,
  loadBalancer: { kind: 'least-request' },
  hash: undefined,
  slowStart: undefined,
  byLocalityWeight: false,
  outlierDetection: undefined,
  panicPercent: undefined,
  limits: { maxConnections: unlimited, maxPendingRequests: unlimited, maxRequests: unlimited, maxRetries: unlimited },
  maxRequestsPerConnection: 0,
  maxConcurrentStreams: undefined,
  httpIdleTimeoutMs: undefined,
  http2Keepalive: undefined,
  tcp: { idleTimeoutMs: undefined, maxDurationMs: undefined },
  proxyProtocol: undefined,
  tcpKeepalive: undefined,
  tls: { kind: 'auto', mutual: { sni: `outbound_.80_._.${host}`, peerIds: [idOf('server')] } },
  origins: [],
};

function route(
  header?: string,
): WorkloadIr['httpProxy'] extends infer _ ? NonNullable<ReturnType<typeof routes>> : never {
  return routes(header);
}

function routes(header?: string) {
  return {
    origins: [],
    routes: [
      {
        name: 'default',
        statPrefix: 'check.out',
        match: { path: { kind: 'prefix' as const, value: '/', ignoreCase: false }, headers: [], query: [] },
        action: {
          ...plainForward,
          destinations: [{ cluster: clusterName, weight: 1, resolved: true, headers: noHeaderEdits }],
        },
        fault: undefined,
        cors: undefined,
        headers:
          header === undefined
            ? noHeaderEdits
            : {
                ...noHeaderEdits,
                response: { set: [{ name: 'x-route', value: header }], add: [], remove: [] },
              },
      },
    ],
  };
}

interface Mesh {
  readonly plane: TestControlPlane;
  readonly client: TestProxy;
  readonly server: TestProxy;
  readonly proxyPort: number;
  readonly inboundPort: number;
  readonly logFile: string;
  publishClient(header?: string, extra?: readonly EncodedResource[]): void;
  restartClient(): Promise<TestProxy>;
  get(path?: string): ReturnType<typeof call>;
}

/** Two sidecars with mutual TLS between them: a client with an HTTP proxy address, a server with an application. */
async function startMesh(t: TestContext): Promise<Mesh> {
  const plane = await TestControlPlane.start(t);
  const [proxyPort, inboundPort, appPort] = [await freePort(), await freePort(), await startApp(t, 'server')];
  const logFile = join(plane.folder, 'access.log');
  plane.publish(
    'shop/server',
    resourcesOf(
      workloadIr({
        name: 'server',
        inbound: [
          {
            name: 'http',
            protocol: 'http',
            listen: { address: '127.0.0.1', port: inboundPort },
            app: { address: '127.0.0.1', port: appPort },
            mutualTls: 'strict',
            service: { host, name: 'server', namespace: 'shop' },
            origins: [],
          },
        ],
      }),
    ),
  );
  const endpoints = encodeResource({
    typeUrl: typeUrls.endpoint,
    name: clusterName,
    value: ClusterLoadAssignment.encode(
      loadAssignment(clusterName, [endpointOf(inboundPort, 'server', true)]),
    ).finish(),
  });
  const publishClient: Mesh['publishClient'] = (header, extra = []) =>
    plane.publish(
      'shop/client',
      resourcesOf(
        workloadIr({
          name: 'client',
          accessLogPath: logFile,
          clusters: [cluster],
          httpProxy: {
            listen: { address: '127.0.0.1', port: proxyPort },
            virtualHosts: [{ authority: 'server', routes: route(header) }],
          },
        }),
        [endpoints, ...extra],
      ),
    );
  publishClient();
  const clientCa = await certificateServer(t, plane, 'client');
  const serverCa = await certificateServer(t, plane, 'server');
  const [client, server] = await Promise.all([
    startProxy(t, { name: 'client', plane, ca: clientCa }),
    startProxy(t, { name: 'server', plane, ca: serverCa }),
  ]);
  await Promise.all([client.ready(), server.ready()]);
  return {
    plane,
    client,
    server,
    proxyPort,
    inboundPort,
    logFile,
    publishClient,
    restartClient: () => startProxy(t, { name: 'client', plane, ca: clientCa }),
    get: (path = '/') => call({ port: proxyPort, path: `http://server${path}`, headers: { host: 'server' } }),
  };
}

test('two proxies as processes: mutual TLS, metrics, access log, admin, a change, a refusal, a restart alone, a drain', async (t) => {
  const mesh = await startMesh(t);
  const { plane, client, server } = mesh;

  await t.test('a request goes through both and the application sees who called', async () => {
    const reply = await mesh.get('/hello?x=1');
    assert.equal(reply.status, 200, reply.body);
    const seen = JSON.parse(reply.body) as { path: string; headers: Record<string, string> };
    assert.equal(seen.path, '/hello?x=1');
    assert.match(seen.headers['x-forwarded-client-cert'] ?? '', /URI=spiffe:\/\/cluster\.local\/ns\/shop\/sa\/client/);
  });

  await t.test('both ends count it with labels that TLS proves', async () => {
    const [source, destination] = await Promise.all([client.admin('/metrics'), server.admin('/stats/prometheus')]);
    const counted = (text: string): string =>
      text.split('\n').find((line) => line.startsWith('istio_requests_total{')) ?? '';
    assert.equal(
      counted(source.body),
      'istio_requests_total{reporter="source",source_workload="client-1",source_canonical_service="client",' +
        'source_canonical_revision="v1",source_workload_namespace="shop",source_principal="spiffe://cluster.local/ns/shop/sa/client",' +
        'source_app="client",source_version="v1",source_cluster="unknown",destination_workload="server-1",' +
        'destination_workload_namespace="shop",destination_principal="spiffe://cluster.local/ns/shop/sa/server",' +
        'destination_app="unknown",destination_version="unknown",destination_service="server.shop.svc.cluster.local",' +
        'destination_canonical_service="server",destination_canonical_revision="v1",destination_service_name="server",' +
        'destination_service_namespace="shop",destination_cluster="Kubernetes",request_protocol="http",response_code="200",' +
        'grpc_response_status="",response_flags="-",connection_security_policy="unknown"} 1',
    );
    assert.equal(
      counted(destination.body),
      'istio_requests_total{reporter="destination",source_workload="unknown",source_canonical_service="unknown",' +
        'source_canonical_revision="unknown",source_workload_namespace="shop",source_principal="spiffe://cluster.local/ns/shop/sa/client",' +
        'source_app="unknown",source_version="unknown",source_cluster="unknown",destination_workload="server-1",' +
        'destination_workload_namespace="shop",destination_principal="spiffe://cluster.local/ns/shop/sa/server",' +
        'destination_app="server",destination_version="v1",destination_service="server.shop.svc.cluster.local",' +
        'destination_canonical_service="server",destination_canonical_revision="v1",destination_service_name="server",' +
        'destination_service_namespace="shop",destination_cluster="unknown",request_protocol="http",response_code="200",' +
        'grpc_response_status="",response_flags="-",connection_security_policy="mutual_tls"} 1',
    );
    assert.match(
      source.body,
      /envoy_cluster_upstream_rq_xx\{envoy_response_code_class="2",envoy_cluster_name="outbound\|80\|\|server/,
    );
    assert.match(
      source.body,
      /envoy_vhost_route_upstream_rq\{envoy_response_code="200",envoy_virtual_host="[^"]*server[^"]*",envoy_route="check\.out"\} 1/,
    );
    assert.match(source.body, /weft_xds_connected 1/);
    assert.match(source.body, /weft_certificate_expiry_seconds \d/);
  });

  await t.test('the access log has Istio’s line', async () => {
    const line = await eventually(() => readFile(mesh.logFile, 'utf8'), { what: 'a line is written', timeoutMs: 5000 });
    assert.match(
      line,
      /^\[\d{4}-\d\d-\d\dT[\d:.]+Z\] "GET \/hello\?x=1 HTTP\/1\.1" 200 - via_upstream - "-" 0 \d+ \d+ \d+ "-" "-" "[0-9a-f-]{36}" "server" "127\.0\.0\.1:\d+" outbound\|80\|\|server\.shop\.svc\.cluster\.local 127\.0\.0\.1:\d+ 127\.0\.0\.1:\d+ 127\.0\.0\.1:\d+ - default\n$/,
    );
  });

  await t.test('plaintext to the inbound listener is refused', async () => {
    await assert.rejects(call({ port: mesh.inboundPort, path: '/' }));
  });

  await t.test('the admin API shows it all, without keys', async () => {
    const dump = (await client.admin('/config_dump?include_eds')).body;
    assert.doesNotMatch(dump, /PRIVATE KEY/);
    const { configs } = JSON.parse(dump) as { configs: { '@type': string; [key: string]: unknown }[] };
    assert.deepEqual(
      configs.map((config) => config['@type'].replace('type.googleapis.com/envoy.admin.v3.', '')),
      [
        'BootstrapConfigDump',
        'ClustersConfigDump',
        'ListenersConfigDump',
        'RoutesConfigDump',
        'SecretsConfigDump',
        'EndpointsConfigDump',
      ],
    );
    assert.match(dump, /"name": "http-proxy\/server"/);
    assert.match(
      (await client.admin('/clusters')).body,
      /outbound\|80\|\|server[^:]*::127\.0\.0\.1:\d+::rq_success::1/,
    );
    assert.match((await client.admin('/listeners')).body, /^http-proxy::127\.0\.0\.1:\d+$/m);
    assert.match((await client.admin('/certs')).body, /spiffe:\/\/cluster\.local\/ns\/shop\/sa\/client/);
    assert.match(
      (await client.admin('/stats')).body,
      /^cluster\.outbound\|80\|\|server\.shop\.svc\.cluster\.local\.upstream_rq_200: 1$/m,
    );
    assert.equal((JSON.parse((await client.admin('/server_info')).body) as { state: string }).state, 'LIVE');
    assert.match((await client.admin('/logging?level=debug', 'POST')).body, /weft: debug/);
    assert.equal((await client.admin('/drain')).status, 405);
    assert.equal((await client.admin('/nothing')).status, 404);
    assert.equal((await client.admin('//')).status, 400);
    const foreign = await call({ port: client.adminPort, path: '/config_dump', headers: { host: 'evil.example' } });
    assert.equal(foreign.status, 403);
    const page = await call({
      port: client.adminPort,
      path: '/metrics',
      headers: { host: 'localhost', origin: 'http://localhost' },
    });
    assert.equal(page.status, 403);
  });

  await t.test('load reports tell of the request', async () => {
    await eventually(
      () =>
        plane.reports.some(({ clusters }) =>
          clusters.some(
            ({ clusterName: name, upstreamLocalityStats }) =>
              name === clusterName && upstreamLocalityStats[0]?.totalSuccessfulRequests === 1n,
          ),
        ),
      { what: 'a load report with one success' },
    );
  });

  await t.test('a change takes effect while requests are running, and none of them fails', async () => {
    const failed: string[] = [];
    let done = false;
    const traffic = (async () => {
      while (!done) {
        const { status, body, headers } = await mesh.get();
        if (status !== 200) {
          failed.push(`${status} ${body} ${JSON.stringify(headers)}`);
        }
      }
    })();
    mesh.publishClient('changed');
    await eventually(async () => (await mesh.get()).headers['x-route'] === 'changed', { what: 'the new route' });
    done = true;
    await traffic;
    assert.deepEqual(failed, []);
  });

  await t.test('a resource that cannot be used is refused with the reason, and what works goes on', async () => {
    const bad = encodeResource({
      typeUrl: typeUrls.cluster,
      name: 'bad',
      value: Cluster.encode({ ...Cluster.decode(new Uint8Array()), name: 'bad', lbPolicy: 6 }).finish(),
    });
    mesh.publishClient('after', [bad]);
    await eventually(() => plane.nacks.length > 0, { what: 'a NACK' });
    assert.match(JSON.stringify(plane.nacks[0]), /lb_policy: goes together with the type ORIGINAL_DST/);
    await eventually(async () => (await mesh.get()).headers['x-route'] === 'after', { what: 'the rest is applied' });
    assert.match(
      (await client.admin('/config_dump')).body,
      /"details": "lb_policy: goes together with the type ORIGINAL_DST/,
    );
    mesh.publishClient('after');
    await eventually(async () => !/goes together with the type/.test((await client.admin('/config_dump')).body), {
      what: 'the refusal is over',
    });
  });

  await t.test('a host that is not known is asked for on demand', async () => {
    plane.onDemand = (_client, names) => {
      if (names.includes('http-proxy/late')) {
        mesh.publishClient('after', lateHost());
      }
    };
    const reply = await call({ port: mesh.proxyPort, path: 'http://late/x', headers: { host: 'late' } });
    assert.equal(reply.status, 200, reply.body);
    const unknown = await call({ port: mesh.proxyPort, path: 'http://nobody/x', headers: { host: 'nobody' } });
    assert.equal(unknown.status, 404);
  });

  await t.test('without the control plane a restarted proxy serves from its own state', async () => {
    await eventually(async () => (await readFile(join(plane.folder, 'client/xds-cache.bin'))).includes('after'), {
      what: 'the last configuration is on the disk',
    });
    await plane.down();
    assert.equal((await mesh.get()).status, 200);
    client.signal('SIGKILL');
    await client.exited;
    const again = await mesh.restartClient();
    await again.ready();
    assert.equal((await mesh.get()).headers['x-route'], 'after');
    assert.match((await again.admin('/metrics')).body, /weft_xds_connected 0/);
    await plane.up();
    await eventually(async () => /weft_xds_connected 1/.test((await again.admin('/metrics')).body), {
      what: 'it comes back',
    });
    assert.equal((await mesh.get()).status, 200);
    again.signal('SIGTERM');
    assert.equal(await again.exited, 0, again.output);
  });

  await t.test('POST /drain ends inbound traffic and nothing else; SIGTERM ends the process with 0', async () => {
    assert.equal((await server.admin('/drain', 'POST')).status, 200);
    assert.equal((await server.admin('/ready')).status, 503);
    await assert.rejects(call({ port: mesh.inboundPort, path: '/' }), { code: 'ECONNREFUSED' });
    server.signal('SIGTERM');
    assert.equal(await server.exited, 0, server.output);
    assert.doesNotMatch(server.output, /nothing caught/);
  });
});

function lateHost(): EncodedResource[] {
  return resourcesOf(
    workloadIr({
      name: 'client',
      clusters: [cluster],
      httpProxy: {
        listen: { address: '127.0.0.1', port: 1 },
        virtualHosts: [{ authority: 'late', routes: routes() }],
      },
    }),
  ).filter(({ name }) => name === 'http-proxy/late');
}

test('a bad bootstrap file, and a refused token, end the process with their own code', async (t) => {
  const plane = await TestControlPlane.start(t);
  const ca = await certificateServer(t, plane, 'x');
  const bad = await startProxy(t, {
    name: 'bad',
    plane,
    ca,
    change: (bootstrap) => {
      bootstrap['stateDir'] = 'relative';
    },
  });
  assert.equal(await bad.exited, 2);
  assert.match(bad.output, /"path":"stateDir".*"fix":"Use an absolute path\."/);
});

test('a gateway that has nothing to listen on yet is ready, and opens what comes later', async (t) => {
  const plane = await TestControlPlane.start(t);
  const port = await freePort();
  plane.publish('shop/edge', resourcesOf(workloadIr({ name: 'edge' })));
  const edge = await startProxy(t, { name: 'edge', plane, ca: await certificateServer(t, plane, 'edge') });
  await edge.ready();
  plane.publish(
    'shop/edge',
    resourcesOf(workloadIr({ name: 'edge', httpProxy: { listen: { address: '127.0.0.1', port }, virtualHosts: [] } })),
  );
  await eventually(
    async () => (await call({ port, path: '/', headers: { host: 'a' } }).catch(() => undefined)) !== undefined,
    { what: 'the listener is open' },
  );
});
