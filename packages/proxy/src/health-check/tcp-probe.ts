import { connectTarget } from '../pool/upstream-context.ts';
import type { TcpHealthCheck } from '../runtime-config/health-check.ts';
import { SessionCache } from '../tls/session-cache.ts';
import type { Connection, ConnectionHandler } from '../transport/connection.ts';
import type { PendingConnection } from '../transport/raw-connection.ts';
import { matchesPayload } from './payload-match.ts';
import type { CheckFailure, Probe, ProbeOwner } from './probe.ts';

/** Most bytes of an answer that are searched. An endpoint that says more without what is waited for has failed. */
export const maxAnswerBytes: number = 64 * 1024;

/** Connects, and where the check says so sends something and waits for an answer. */
export class TcpProbe implements Probe, ConnectionHandler {
  readonly #check: TcpHealthCheck;
  readonly #owner: ProbeOwner;
  readonly #sessions = new SessionCache();
  #pending: PendingConnection | undefined = undefined;
  #connection: Connection | undefined = undefined;
  #answer: Buffer = Buffer.alloc(0);
  #asking = false;

  constructor(check: TcpHealthCheck, owner: ProbeOwner) {
    this.#check = check;
    this.#owner = owner;
  }

  start(): void {
    this.#asking = true;
    this.#answer = Buffer.alloc(0);
    if (this.#connection !== undefined) {
      this.#ask(this.#connection);
      return;
    }
    const { context, upstream } = this.#owner.target;
    this.#pending = connectTarget(context, upstream, this.#sessions, 'tcp', {
      onConnected: (connection) => {
        this.#pending = undefined;
        this.#connection = connection;
        connection.handler = this;
        this.#ask(connection);
      },
      onFailed: () => {
        this.#pending = undefined;
        this.#fail('network');
      },
    });
  }

  #ask(connection: Connection): void {
    const { send, receive } = this.#check;
    connection.output.copy(send, 0, send.length);
    if (receive.length === 0) {
      this.#pass();
    }
  }

  abandon(): void {
    this.#asking = false;
    this.#pending?.abandon();
    this.#pending = undefined;
    this.#drop();
  }

  onData(bytes: Buffer, start: number, end: number): void {
    if (!this.#asking) {
      return;
    }
    this.#answer = Buffer.concat([this.#answer, bytes.subarray(start, end)]);
    if (matchesPayload(this.#answer, this.#check.receive)) {
      this.#pass();
    } else if (this.#answer.length > maxAnswerBytes) {
      this.#drop();
      this.#fail('network');
    }
  }

  onEnd(): void {
    this.#drop();
    this.#fail('network');
  }

  onClose(): void {
    this.#connection = undefined;
    this.#fail('network');
  }

  onWritable(): void {}

  #pass(): void {
    this.#asking = false;
    // What was sent to an endpoint of which no answer is wanted goes out before the end.
    if (!this.#owner.target.reuseConnection || this.#check.receive.length === 0) {
      const connection = this.#connection;
      this.#connection = undefined;
      if (connection !== undefined) {
        connection.handler = ended;
        connection.closeAfterFlush(false);
      }
    }
    this.#owner.onPassed(false);
  }

  #fail(failure: CheckFailure): void {
    if (this.#asking) {
      this.#asking = false;
      this.#owner.onFailed(failure, false);
    }
  }

  #drop(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    if (connection !== undefined) {
      connection.handler = ended;
      connection.destroy();
    }
  }
}

const ended: ConnectionHandler = { onData() {}, onEnd() {}, onClose() {}, onWritable() {} };
