import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, findPeer } from '@weft/testkit';

/** A stock Envoy whose configuration comes from our server by ADS. */
export class Envoy implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #folder: string;
  #admin = '';
  log = '';

  private constructor(process: ChildProcess, folder: string) {
    this.#process = process;
    this.#folder = folder;
    process.stderr?.on('data', (chunk: Buffer) => {
      this.log += chunk.toString();
    });
  }

  static async start(options: { readonly xdsPort: number; readonly apiType: 'DELTA_GRPC' | 'GRPC' }): Promise<Envoy> {
    const folder = await mkdtemp(join(tmpdir(), 'weft-xds-envoy-'));
    const file = join(folder, 'bootstrap.json');
    await writeFile(file, JSON.stringify(bootstrap(options)));
    const child = spawn(
      findPeer('envoy') ?? 'envoy',
      [
        '-c',
        file,
        '--admin-address-path',
        join(folder, 'admin'),
        '--use-dynamic-base-id',
        '--concurrency',
        '1',
        '-l',
        'info',
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    return new Envoy(child, folder);
  }

  /** A response of the proxy on `port`. */
  get(port: number, host: string, timeoutMs = 5_000): Promise<{ readonly status: number; readonly body: string }> {
    return new Promise((resolve, reject) => {
      const call = request(
        { port, host: '127.0.0.1', headers: { host }, timeout: timeoutMs, agent: false },
        (response) => {
          let body = '';
          response.on('data', (chunk: Buffer) => {
            body += chunk.toString();
          });
          response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
        },
      );
      call.on('timeout', () => call.destroy(new Error(`no answer for ${host} within ${timeoutMs} ms`)));
      call.on('error', reject);
      call.end();
    });
  }

  /** The value of a counter or gauge. */
  async stat(name: string): Promise<number> {
    const text = await (await fetch(`http://${this.#admin}/stats?filter=^${name}$`)).text();
    return Number(/: (\d+)/.exec(text)?.[1] ?? Number.NaN);
  }

  /** Resolves when every listener that it was given is served. */
  ready(): Promise<boolean> {
    return eventually(
      async () => {
        if (this.#process.exitCode !== null) {
          throw new Error(`envoy ended: ${this.log.slice(-2_000)}`);
        }
        this.#admin = await readFile(join(this.#folder, 'admin'), 'utf8');
        return (await fetch(`http://${this.#admin}/ready`)).status === 200;
      },
      { what: 'envoy is ready', timeoutMs: 20_000 },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    if (this.#process.exitCode === null) {
      this.#process.kill('SIGKILL');
      await ended;
    }
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function bootstrap({ xdsPort, apiType }: { xdsPort: number; apiType: string }): unknown {
  const address = (port: number): unknown => ({ socket_address: { address: '127.0.0.1', port_value: port } });
  return {
    node: { id: 'n', cluster: 'test' },
    admin: { address: address(0) },
    dynamic_resources: {
      ads_config: {
        api_type: apiType,
        transport_api_version: 'V3',
        grpc_services: [{ envoy_grpc: { cluster_name: 'xds' } }],
        set_node_on_first_message_only: true,
      },
      lds_config: { ads: {}, resource_api_version: 'V3' },
      cds_config: { ads: {}, resource_api_version: 'V3' },
    },
    cluster_manager: {
      load_stats_config: {
        api_type: 'GRPC',
        transport_api_version: 'V3',
        grpc_services: [{ envoy_grpc: { cluster_name: 'xds' } }],
      },
    },
    static_resources: {
      clusters: [
        {
          name: 'xds',
          connect_timeout: '1s',
          typed_extension_protocol_options: {
            'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
              '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
              explicit_http_config: { http2_protocol_options: {} },
            },
          },
          load_assignment: {
            cluster_name: 'xds',
            endpoints: [{ lb_endpoints: [{ endpoint: { address: address(xdsPort) } }] }],
          },
        },
      ],
    },
  };
}
