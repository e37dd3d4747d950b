import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { TestContext } from 'node:test';
import { silentLogger } from '@weft/base';
import { createCsr, generatePrivateKey, parseSpiffeId } from '@weft/identity';
import { CertificateAuthority } from '@weft/identity/authority';
import { eventually, startBackground } from '@weft/testkit';

const program = resolve(import.meta.dirname, '../../../packages/proxy/src/main.ts');

/** The flags under which `weft run` starts a sidecar. */
const flags = [
  '--max-semi-space-size=2',
  '--single-threaded-gc',
  '--v8-pool-size=1',
  '--no-maglev',
  '--disable-warning=ExperimentalWarning',
];

export interface AttackedProxyOptions {
  readonly originPort: number;
  /** Fields of the HTTP connection manager, in proto3 JSON; the others are those of a mesh. */
  readonly manager?: Readonly<Record<string, unknown>>;
  /** The `overload` section of the bootstrap. */
  readonly overload?: unknown;
  /** Fields of the cluster. */
  readonly cluster?: Readonly<Record<string, unknown>>;
}

/** One line of the access log. */
export interface LoggedRequest {
  readonly code: string;
  readonly flags: string;
  readonly details: string;
  readonly path: string;
}

/** A proxy process as `weft run` starts it, with a plain and a TLS listener before one origin. */
export interface AttackedProxy {
  readonly port: number;
  readonly tlsPort: number;
  readonly pid: number;
  /** Resident memory, bytes. */
  residentBytes(): Promise<number>;
  /** A line of `/stats`; 0 when it is not there. */
  stat(name: string): Promise<number>;
  /** All requests that were logged so far. */
  logged(): Promise<readonly LoggedRequest[]>;
  /** What the process wrote. */
  output(): string;
  isRunning(): boolean;
}

/** Starts it and waits until it is ready; it is stopped when the test ends. */
export async function startAttackedProxy(t: TestContext, options: AttackedProxyOptions): Promise<AttackedProxy> {
  const folder = await mkdtemp(join(tmpdir(), 'weft-attack-'));
  const admin = join(folder, 'admin.sock');
  const log = join(folder, 'access.log');
  await writeFile(join(folder, 'bootstrap.json'), JSON.stringify(await bootstrap(folder, admin, log, options)));
  const proxy = startBackground(process.execPath, [...flags, program, '--bootstrap', join(folder, 'bootstrap.json')]);
  t.after(async () => {
    await proxy.stop('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  });
  const ask = async (path: string): Promise<string> => {
    const { request } = await import('node:http');
    return new Promise((fulfil, reject) => {
      const asked = request(
        { socketPath: admin, path, headers: { host: 'localhost' }, timeout: 10_000 },
        (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (piece: string) => {
            text += piece;
          });
          response.on('end', () => fulfil(text));
        },
      );
      asked.on('error', reject).end();
    });
  };
  const ready = eventually(async () => (await ask('/ready')).startsWith('LIVE'), {
    what: 'the proxy is ready',
    timeoutMs: 20_000,
  });
  const ended = proxy.ended.then(() => Promise.reject(new Error(`the proxy ended: ${proxy.output()}`)));
  ended.catch(() => {});
  await Promise.race([ready, ended]);
  const listeners = JSON.parse(await ask('/listeners?format=json')) as {
    listener_statuses: { name: string; local_address: { socket_address: { port_value: number } } }[];
  };
  const portOf = (name: string): number =>
    listeners.listener_statuses.find((status) => status.name === name)?.local_address.socket_address.port_value ?? 0;
  return {
    port: portOf('plain'),
    tlsPort: portOf('tls'),
    pid: proxy.pid,
    residentBytes: async () => {
      const status = await readFile(`/proc/${proxy.pid}/status`, 'utf8');
      return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
    },
    stat: async (name) => {
      const line = (await ask('/stats')).split('\n').find((entry) => entry.startsWith(`${name}: `));
      return Number(line?.slice(name.length + 2) ?? 0);
    },
    logged: async () => {
      const text = await readFile(log, 'utf8').catch(() => '');
      return text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => {
          const [code = '', flagText = '', details = '', path = ''] = line.split(' ');
          return { code, flags: flagText, details, path };
        });
    },
    output: () => proxy.output(),
    isRunning: () => proxy.child.exitCode === null && proxy.child.signalCode === null,
  };
}

async function bootstrap(
  folder: string,
  admin: string,
  log: string,
  options: AttackedProxyOptions,
): Promise<Record<string, unknown>> {
  const accessLog = {
    name: 'envoy.access_loggers.file',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog',
      path: log,
      log_format: {
        text_format_source: {
          inline_string: '%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %REQ(:PATH)%\n',
        },
      },
    },
  };
  const manager = {
    name: 'envoy.filters.network.http_connection_manager',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
      stat_prefix: 'attacked',
      rds: { route_config_name: 'routes', config_source: { ads: {} } },
      http_filters: [
        {
          name: 'envoy.filters.http.router',
          typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
        },
      ],
      access_log: [accessLog],
      normalize_path: true,
      request_headers_timeout: '15s',
      stream_idle_timeout: '3600s',
      ...options.manager,
    },
  };
  const address = { socket_address: { address: '127.0.0.1', port_value: 0 } };
  const { key, chain } = await keyPair(folder);
  return {
    node: { id: 'test/attacked' },
    admin: { path: admin },
    stateDir: folder,
    logLevel: 'warn',
    ...(options.overload === undefined ? {} : { overload: options.overload }),
    static: {
      listeners: [
        { name: 'plain', address, filter_chains: [{ filters: [manager] }] },
        {
          name: 'tls',
          address,
          filter_chains: [
            {
              filters: [manager],
              transport_socket: {
                name: 'envoy.transport_sockets.tls',
                typed_config: {
                  '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext',
                  common_tls_context: {
                    tls_certificate_sds_secret_configs: [{ name: 'pair', sds_config: { ads: {} } }],
                    alpn_protocols: ['h2', 'http/1.1'],
                  },
                },
              },
            },
          ],
        },
      ],
      clusters: [
        {
          name: 'origin',
          type: 'STATIC',
          connect_timeout: '5s',
          load_assignment: {
            cluster_name: 'origin',
            endpoints: [
              {
                lb_endpoints: [
                  {
                    endpoint: {
                      address: { socket_address: { address: '127.0.0.1', port_value: options.originPort } },
                    },
                  },
                ],
              },
            ],
          },
          // As the control plane has it for inbound clusters: no limit in practice.
          circuit_breakers: {
            thresholds: [
              {
                max_connections: 4_294_967_295,
                max_pending_requests: 4_294_967_295,
                max_requests: 4_294_967_295,
              },
            ],
          },
          ...options.cluster,
        },
      ],
      routes: [
        {
          name: 'routes',
          virtual_hosts: [
            {
              name: 'all',
              domains: ['*'],
              routes: [{ match: { prefix: '/' }, route: { cluster: 'origin', timeout: '0s' } }],
            },
          ],
        },
      ],
      secrets: [
        {
          name: 'pair',
          tls_certificate: { certificate_chain: { inline_string: chain }, private_key: { inline_string: key } },
        },
      ],
    },
  };
}

async function keyPair(folder: string): Promise<{ readonly key: string; readonly chain: string }> {
  const ca = await CertificateAuthority.open({ folder: join(folder, 'ca'), logger: silentLogger });
  const parsed = parseSpiffeId('spiffe://cluster.local/ns/test/sa/attacked');
  if (!('id' in parsed)) {
    throw new Error('not a SPIFFE id');
  }
  const key = await generatePrivateKey();
  const issued = await ca.issueSvid({ csrPem: createCsr(key, parsed.id), identity: parsed.id });
  ca.close();
  return { key: key.revealPem(), chain: issued.certChain.slice(0, 2).join('\n') };
}
