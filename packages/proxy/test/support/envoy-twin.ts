import assert from 'node:assert/strict';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { eventually } from '@weft/testkit';
import type { JsonObject } from '../../src/runtime-config/wire/schema.ts';
import { httpListener } from './http-listener-json.ts';
import { ProxyHarness } from './proxy-harness.ts';
import { staticConfig } from './static-config.ts';
import { StockEnvoy } from './stock-envoy.ts';

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

const logName = 'access.log';

function accessLog(folder: string): JsonObject {
  return {
    name: 'envoy.access_loggers.file',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog',
      path: join(folder, logName),
      log_format: {
        text_format_source: { inline_string: '%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%\n' },
      },
    },
  };
}

/** The same listener and clusters (xDS as JSON) in Envoy and in ours. */
export class EnvoyTwins {
  readonly harness: ProxyHarness;
  readonly #envoy: StockEnvoy;
  #logged = 0;
  #seen = 0;

  private constructor(harness: ProxyHarness, envoy: StockEnvoy) {
    this.harness = harness;
    this.#envoy = envoy;
  }

  /** @param manager fields of the connection manager, its routes among them. */
  static async start(manager: JsonObject, clusters: readonly JsonObject[]): Promise<EnvoyTwins> {
    const harness = new ProxyHarness();
    const { failedListeners } = await harness.apply(staticConfig({ listeners: [httpListener(manager)], clusters }));
    try {
      assert.deepEqual(failedListeners, []);
      const envoy = await StockEnvoy.start(
        (folder) => {
          const listeners = [httpListener({ ...manager, access_log: [accessLog(folder)] })];
          return { static_resources: { listeners, clusters } };
        },
        ['--file-flush-interval-msec', '5'],
      );
      return new EnvoyTwins(harness, envoy);
    } catch (error) {
      await harness.close();
      throw error;
    }
  }

  async throughEnvoy(request: TwinRequest): Promise<TwinOutcome> {
    const answer = await ask(this.#envoy.port('listener'), request);
    this.#logged += 1;
    const line = await eventually(async () => (await this.#envoy.file(logName)).split('\n').at(this.#logged - 1), {
      what: "Envoy's access log",
    });
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
