/**
 * One plaintext hop with the least configuration that does the work: our proxy from its source, and Envoy. nginx and HAProxy are in
 * `../load/peer-proxies.ts`, and proxies with the configuration of a mesh in `../load/field.ts`.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '@weft/testkit';
import { programPath, proxyCore, type Running, startPinned } from '../load/running.ts';
import { sidecarNodeFlags } from '../load/start-sidecar.ts';

/** What the hop carries; for HTTP what is spoken on both sides of it. */
export type HopProtocol = 'http1' | 'http2' | 'tcp';

/** @param options.cpuProfile write a profile to the current folder when it is stopped. */
export async function startSourceProxy(options: {
  readonly protocol: HopProtocol;
  readonly upstreamPort: number;
  readonly cpuProfile: boolean;
}): Promise<Running> {
  const { protocol, upstreamPort, cpuProfile } = options;
  const port = await freePort();
  const program = join(import.meta.dirname, 'proxy-process.ts');
  const profile = cpuProfile ? ['--cpu-prof', '--cpu-prof-dir', process.cwd()] : [];
  const args = [...sidecarNodeFlags, ...profile, program, protocol, String(port), String(upstreamPort)];
  return startPinned('weft', process.execPath, args, { port, core: proxyCore });
}

const types = 'type.googleapis.com/envoy.extensions';

/** Envoy with the features that ours has on: for HTTP an access log, remote address, path, attempt count, retries. */
export async function startEnvoyHop(options: {
  readonly folder: string;
  readonly protocol: HopProtocol;
  readonly upstreamPort: number;
}): Promise<Running> {
  const { folder, protocol, upstreamPort } = options;
  const port = await freePort();
  const home = join(folder, `envoy-${port}`);
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const file = join(home, 'envoy.json');
  const filter = protocol === 'tcp' ? tcpFilter : httpFilter(join(home, 'access.log'));
  const listener = { name: 'listener', address: socketAddress(port), filter_chains: [{ filters: [filter] }] };
  const cluster = {
    name: 'up',
    type: 'STATIC',
    lb_policy: 'LEAST_REQUEST',
    ...(protocol === 'http2' ? http2Upstream : {}),
    load_assignment: {
      cluster_name: 'up',
      endpoints: [{ lb_endpoints: [{ endpoint: { address: socketAddress(upstreamPort) } }] }],
    },
  };
  writeFileSync(file, JSON.stringify({ static_resources: { listeners: [listener], clusters: [cluster] } }));
  const args = ['-c', file, '--concurrency', '1', '-l', 'error', '--disable-hot-restart'];
  return startPinned('envoy', programPath('envoy'), args, { port, core: proxyCore });
}

function socketAddress(port: number): object {
  return { socket_address: { address: '127.0.0.1', port_value: port } };
}

const tcpFilter = {
  name: 'tcp',
  typed_config: { '@type': `${types}.filters.network.tcp_proxy.v3.TcpProxy`, stat_prefix: 'tcp', cluster: 'up' },
};

const http2Upstream = {
  typed_extension_protocol_options: {
    'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
      '@type': `${types}.upstreams.http.v3.HttpProtocolOptions`,
      explicit_http_config: { http2_protocol_options: {} },
    },
  },
};

function httpFilter(accessLog: string): object {
  const log = { '@type': `${types}.access_loggers.file.v3.FileAccessLog`, path: accessLog };
  const host = {
    name: 'host',
    domains: ['*'],
    include_request_attempt_count: true,
    retry_policy: { retry_on: 'connect-failure,reset-before-request', num_retries: 2 },
    routes: [
      { match: { prefix: '/other/' }, route: { cluster: 'up' } },
      { match: { prefix: '/' }, route: { cluster: 'up' } },
    ],
  };
  return {
    name: 'hcm',
    typed_config: {
      '@type': `${types}.filters.network.http_connection_manager.v3.HttpConnectionManager`,
      stat_prefix: 'bench',
      codec_type: 'AUTO',
      use_remote_address: true,
      normalize_path: true,
      access_log: [{ name: 'file', typed_config: log }],
      route_config: { name: 'routes', virtual_hosts: [host] },
      http_filters: [{ name: 'router', typed_config: { '@type': `${types}.filters.http.router.v3.Router` } }],
    },
  };
}
