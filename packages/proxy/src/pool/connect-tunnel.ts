import type { Cluster } from '../cluster/cluster.ts';
import { speaksHttp2 } from '../http-alpn.ts';
import type { TunnelConfig } from '../runtime-config/config.ts';
import { type Connection, ignoring } from '../transport/connection.ts';
import type { ConnectCallbacks, PendingConnection } from '../transport/raw-connection.ts';
import { HttpTunnel } from './http-tunnel.ts';

type HttpUse = 'http1' | 'http2' | 'auto';

/** Longest answer to CONNECT, in bytes. */
const maxAnswerBytes: number = 16 * 1024;

const endOfHead = Buffer.from('\r\n\r\n');

/**
 * Asks an HTTP proxy, as soon as there is a connection to it, to connect to somebody else: by CONNECT (RFC 9110 §9.3.6) or by a POST whose body and
 * answer are the two directions. What follows its agreement is the tunnel; anything else is a failure to connect.
 * @param connectFor makes the connection to the proxy, for the HTTP that its cluster speaks.
 */
export function connectThroughTunnel(
  connectFor: (use: HttpUse, callbacks: ConnectCallbacks) => PendingConnection,
  cluster: Cluster,
  tunnel: TunnelConfig,
  callbacks: ConnectCallbacks,
): PendingConnection {
  let asked: Connection | undefined;
  let isOver = false;
  const onOver = (): void => {
    isOver = true;
  };
  const { protocol } = cluster.config.upstreamHttp;
  const use: HttpUse = protocol === 'use-downstream' ? 'http1' : protocol;
  const pending = connectFor(use, {
    onConnected: (connection) => {
      asked = connection;
      const isHttp2 = speaksHttp2(use, connection.tls?.alpn);
      if (isHttp2 || tunnel.method === 'POST') {
        new HttpTunnel(connection, cluster, isHttp2, callbacks, onOver).ask(tunnel);
      } else {
        new TunnelRequest(connection, callbacks, onOver).ask(tunnel.to);
      }
    },
    onFailed: (error) => callbacks.onFailed(error),
  });
  return {
    abandon: () => {
      if (asked === undefined) {
        pending.abandon();
      } else if (!isOver) {
        asked.handler = ignoring;
        asked.destroy();
      }
    },
  };
}

/** CONNECT in HTTP/1.1, after which the connection is the tunnel: its handler until the proxy has answered. */
class TunnelRequest {
  readonly #connection: Connection;
  readonly #callbacks: ConnectCallbacks;
  readonly #onOver: () => void;
  #answer: Buffer = Buffer.alloc(0);

  constructor(connection: Connection, callbacks: ConnectCallbacks, onOver: () => void) {
    this.#connection = connection;
    this.#callbacks = callbacks;
    this.#onOver = onOver;
  }

  ask(authority: string): void {
    this.#connection.handler = this;
    const request = Buffer.from(`CONNECT ${authority} HTTP/1.1\r\nhost: ${authority}\r\n\r\n`, 'latin1');
    this.#connection.output.copy(request, 0, request.length);
  }

  onData(bytes: Buffer, start: number, end: number): void {
    this.#answer = Buffer.concat([this.#answer, bytes.subarray(start, end)]);
    for (;;) {
      const at = this.#answer.indexOf(endOfHead);
      if (at < 0) {
        if (this.#answer.length > maxAnswerBytes) {
          this.#fail(`the answer is longer than ${maxAnswerBytes} bytes`);
        }
        return;
      }
      const line = this.#answer.toString('latin1', 0, this.#answer.indexOf('\r\n'));
      const status = /^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(line)?.[1];
      this.#answer = this.#answer.subarray(at + endOfHead.length);
      if (status?.startsWith('2')) {
        this.#open();
        return;
      }
      if (!status?.startsWith('1')) {
        this.#fail(status === undefined ? 'the answer is not HTTP/1.1' : `the answer is ${status}`);
        return;
      }
    }
  }

  onEnd(): void {
    this.#fail('the connection ended without an answer');
  }

  onClose(error: Error | undefined): void {
    this.#onOver();
    this.#callbacks.onFailed(error ?? new Error('tunnel: the connection was closed without an answer'));
  }

  onWritable(): void {}

  #open(): void {
    this.#onOver();
    const early = this.#answer;
    this.#callbacks.onConnected(this.#connection);
    if (early.length > 0) {
      this.#connection.handler.onData(early, 0, early.length);
    }
  }

  #fail(reason: string): void {
    this.#onOver();
    this.#connection.handler = ignoring;
    this.#connection.destroy();
    this.#callbacks.onFailed(new Error(`tunnel: ${reason}`));
  }
}
