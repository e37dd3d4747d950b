/**
 * What the end of a request costs: metrics and access log of one HTTP request, nothing else. Prints nanoseconds.
 *
 * `node bench/micro/stream-end.ts [requests]`
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger, systemClock } from '@weft/base';
import {
  defaultHttp1Limits,
  Http1DownstreamCodec,
  OutputBuffer,
  type RequestHead,
  ResponseHead,
} from '@weft/http-codec';
import { AccessLogs } from '../../packages/proxy/src/access-log/access-logs.ts';
import type {
  AccessLogConfig,
  HttpConnectionManagerConfig,
  ListenerConfig,
} from '../../packages/proxy/src/runtime-config/config.ts';
import { Metrics } from '../../packages/proxy/src/stats/metrics.ts';
import { type DownstreamConnectionInfo, type EndpointInfo, StreamInfo } from '../../packages/proxy/src/stream-info.ts';

const format =
  '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% ' +
  '%CONNECTION_TERMINATION_DETAILS% "%UPSTREAM_TRANSPORT_FAILURE_REASON%" %BYTES_RECEIVED% %BYTES_SENT% %DURATION% ' +
  '%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" "%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" ' +
  '"%UPSTREAM_HOST%" %UPSTREAM_CLUSTER_RAW% %UPSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS% ' +
  '%REQUESTED_SERVER_NAME% %ROUTE_NAME%\n';

function readHead(): RequestHead {
  let found: RequestHead | undefined;
  const sink = { onBodyData() {}, onBodyEnd() {}, onResponseWritable() {}, onReset() {} };
  const codec = new Http1DownstreamCodec(
    {
      onRequest: (head) => {
        found = head;
        return sink;
      },
      onCodecError: (detail) => {
        throw new Error(detail);
      },
      onReadPressure() {},
      onFinished() {},
    },
    new OutputBuffer(),
    defaultHttp1Limits,
    { acceptHttp10: false, allowAbsoluteUrl: true },
  );
  const bytes = Buffer.from(
    'GET /api/v1/products/123?color=blue HTTP/1.1\r\nHost: catalog.default\r\nUser-Agent: bench/1.0 (linux)\r\nAccept: */*\r\n' +
      'X-Forwarded-Proto: http\r\nX-Request-Id: 6c1d6c9a-52f1-4f43-a1f5-1d1d2d7ff3aa\r\n\r\n',
  );
  codec.receive(bytes, 0, bytes.length);
  if (found === undefined) {
    throw new Error('no request');
  }
  return found;
}

const folder = mkdtempSync(join(tmpdir(), 'weft-stream-end-'));
const requests = Number(process.argv[2] ?? '1000000');
const logger = createLogger({ level: 'error', write: () => {} });
const logs = new AccessLogs(systemClock, logger);
const metrics = new Metrics(
  {
    workload: 'bench',
    canonicalService: 'bench',
    canonicalRevision: 'latest',
    namespace: 'default',
    principal: 'unknown',
    app: 'bench',
    version: 'v1',
    cluster: 'c',
  },
  '0.0.0',
  systemClock,
  logger,
);
const log: AccessLogConfig = { path: join(folder, 'access.log'), format: { kind: 'text', text: format } };
const listener = { name: 'outbound', direction: 'outbound' } as unknown as ListenerConfig;
const manager = { statPrefix: 'outbound', accessLogs: [log] } as unknown as HttpConnectionManagerConfig;
const downstream: DownstreamConnectionInfo = {
  id: 1,
  remoteAddress: '127.0.0.1:40001',
  remoteIp: '127.0.0.1',
  localAddress: '127.0.0.1:15001',
  localIp: '127.0.0.1',
  localPort: 15001,
  tls: undefined,
  requestedServerName: '',
  startTimeMs: Date.now(),
  filterChainName: '',
};
const cluster = { name: 'outbound|80||catalog.default', statName: 'outbound|80||catalog.default', metadata: {} };
const endpoint = { address: '127.0.0.1:9080', region: '', zone: '', subZone: '', config: { metadata: {} } };
const head = readHead();
const response = new ResponseHead();
response.status = 200;
response.add('x-envoy-upstream-service-time', '1');
const info = new StreamInfo();

function one(index: number): void {
  info.startTimeMs = 1_700_000_000_000 + (index >> 4);
  info.startMs = index >> 4;
  info.endMs = info.startMs + (index & 3);
  info.method = head.method;
  info.path = head.path;
  info.upstreamPath = head.path;
  info.authority = head.authority;
  info.requestHeaders = head;
  info.responseHeaders = response;
  info.responseCode = 200;
  info.responseCodeDetails = 'via_upstream';
  info.bytesSent = 512;
  info.wireBytesSent = 700;
  info.wireBytesReceived = 200;
  info.upstreamRequestStartMs = info.startMs;
  info.upstreamResponseEndMs = info.endMs;
  info.upstreamLocalAddress = '127.0.0.1:50001';
  info.routeName = 'default';
  info.clusterName = cluster.name;
  info.cluster = cluster as unknown as StreamInfo['cluster'];
  info.endpoint = endpoint as unknown as EndpointInfo;
  info.attemptCount = 1;
  info.downstream = downstream;
  info.downstreamRemoteIp = downstream.remoteIp;
}

async function measure(name: string, work: () => void): Promise<void> {
  for (let round = 0; round < 3; round += 1) {
    const startUs = process.cpuUsage();
    for (let index = 0; index < requests; index += 1) {
      one(index);
      work();
      if ((index & 0xfff) === 0) {
        // Lets the file's writes complete, as requests do.
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    const used = process.cpuUsage(startUs);
    process.stdout.write(`${name}: ${(((used.user + used.system) * 1000) / requests).toFixed(0)} ns\n`);
  }
}

await measure('nothing', () => {});
await measure('metrics', () => metrics.streamEnded(info, listener, manager));
await measure('access log', () => logs.logStream(manager.accessLogs, info));
metrics.close();
logs.close();
rmSync(folder, { recursive: true });
