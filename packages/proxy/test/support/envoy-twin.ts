import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Background, eventually, findPeer, freePort, startBackground } from '@weft/testkit';
import { runtimeConfigFromStatic } from '../../src/runtime-config/static-resources.ts';
import type { JsonObject } from '../../src/runtime-config/wire/schema.ts';
import { ProxyHarness } from './proxy-harness.ts';
import { RawClient } from './raw-peer.ts';

/** How an origin meets one attempt: a status with fields, a broken connection, or silence. */
export type Turn = { readonly status: number; readonly headers?: http.OutgoingHttpHeaders } | 'reset' | 'hang';

/** An origin that plays a script, attempt by attempt; the last turn is repeated. Connections are not used again. */
export class ScriptedOrigin {
  readonly attempts: http.IncomingHttpHeaders[] = [];
  readonly paths: string[] = [];
  script: readonly Turn[] = [];
  readonly #server: http.Server;

  private constructor(server: http.Server) {
    this.#server = server;
  }

  static async start(): Promise<ScriptedOrigin> {
    const server = http.createServer();
    const origin = new ScriptedOrigin(server);
    server.on('request', (request, response) => {
      const turn = origin.script[Math.min(origin.attempts.length, origin.script.length - 1)];
      origin.attempts.push(request.headers);
      origin.paths.push(request.url ?? '');
      request.resume().on('end', () => {
        if (turn === 'reset') {
          request.socket.destroy();
        } else if (turn !== undefined && turn !== 'hang') {
          response.writeHead(turn.status, { connection: 'close', 'content-length': '0', ...turn.headers });
          response.end();
        }
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return origin;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  begin(script: readonly Turn[]): void {
    this.script = script;
    this.attempts.length = 0;
    this.paths.length = 0;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

export interface TwinRequest {
  readonly method?: string;
  readonly path?: string;
  readonly host: string;
  readonly headers?: http.OutgoingHttpHeaders;
  readonly body?: string;
}

/** What came of a request, in terms that both proxies share. */
export interface TwinOutcome {
  readonly status: number;
  readonly flags: string;
  readonly details: string;
  readonly body: string;
  readonly headers: http.IncomingHttpHeaders;
}

/** The same listener and clusters (xDS as JSON) in Envoy and in ours. */
export class EnvoyTwins {
  readonly harness: ProxyHarness = new ProxyHarness();
  readonly #folder: string;
  readonly #envoy: Background;
  readonly #envoyPort: number;
  #logged = 0;
  #seen = 0;

  private constructor(folder: string, envoy: Background, envoyPort: number) {
    this.#folder = folder;
    this.#envoy = envoy;
    this.#envoyPort = envoyPort;
  }

  /** @param manager fields of the connection manager, its routes among them. */
  static async start(manager: JsonObject, clusters: readonly JsonObject[]): Promise<EnvoyTwins> {
    const folder = await mkdtemp(join(tmpdir(), 'weft-twins-'));
    const envoyPort = await freePort();
    const log = {
      name: 'envoy.access_loggers.file',
      typed_config: {
        '@type': 'type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog',
        path: join(folder, 'access.log'),
        log_format: {
          text_format_source: { inline_string: '%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%\n' },
        },
      },
    };
    const listener = (port: number, more: JsonObject): JsonObject => ({
      name: 'listener',
      address: { socket_address: { address: '127.0.0.1', port_value: port } },
      filter_chains: [
        {
          filters: [
            {
              name: 'envoy.filters.network.http_connection_manager',
              typed_config: {
                '@type':
                  'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
                stat_prefix: 'twin',
                http_filters: [
                  {
                    name: 'envoy.filters.http.router',
                    typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
                  },
                ],
                ...manager,
                ...more,
              },
            },
          ],
        },
      ],
    });
    const file = join(folder, 'envoy.json');
    await writeFile(
      file,
      JSON.stringify({ static_resources: { listeners: [listener(envoyPort, { access_log: [log] })], clusters } }),
    );
    const envoy = startBackground(findPeer('envoy') ?? '', [
      ...['-c', file, '--concurrency', '1', '-l', 'error', '--disable-hot-restart', '--file-flush-interval-msec', '5'],
    ]);
    const twins = new EnvoyTwins(folder, envoy, envoyPort);
    const config = runtimeConfigFromStatic({
      listeners: [listener(0, {})],
      clusters,
      routes: [],
      endpoints: [],
      secrets: [],
    });
    if ('problems' in config) {
      throw new Error(config.problems.join('\n'));
    }
    const result = await twins.harness.apply(config.ok);
    if (result.failedListeners.length > 0) {
      throw new Error(JSON.stringify(result.failedListeners));
    }
    await eventually(
      async () => {
        (await RawClient.connect(envoyPort)).close();
        return true;
      },
      { what: 'Envoy listens' },
    );
    return twins;
  }

  async throughEnvoy(request: TwinRequest): Promise<TwinOutcome> {
    const answer = await ask(this.#envoyPort, request);
    this.#logged += 1;
    const line = await eventually(
      async () =>
        (await readFile(join(this.#folder, 'access.log'), 'latin1')).split('\n').at(this.#logged - 1) || false,
      { what: "Envoy's access log" },
    );
    const [, flags = '', details = ''] = line.split(' ');
    return { ...answer, flags, details };
  }

  async throughOurs(request: TwinRequest): Promise<TwinOutcome> {
    const answer = await ask(this.harness.port(), request);
    this.#seen += 1;
    const { flags, details } = await this.harness.ended(this.#seen);
    return { ...answer, flags, details };
  }

  async close(): Promise<void> {
    await this.#envoy.stop();
    await this.harness.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function ask(
  port: number,
  { method = 'GET', path = '/', host, headers = {}, body }: TwinRequest,
): Promise<Pick<TwinOutcome, 'status' | 'headers' | 'body'>> {
  return new Promise((resolve, reject) => {
    const request = http.request({
      host: '127.0.0.1',
      port,
      method,
      path,
      agent: false,
      headers: { host, ...headers },
    });
    request.on('error', reject);
    request.on('response', (response) => {
      let text = '';
      response.on('data', (piece: Buffer) => {
        text += piece.toString('latin1');
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
      response.on('error', reject);
    });
    request.end(body);
  });
}
