import {
  defaultHttp1Limits,
  defaultHttp2Settings,
  type HeadFields,
  Http1UpstreamCodec,
  Http2Counters,
  Http2UpstreamCodec,
  type RequestEncoder,
  type ResponseHead,
  type ResponseSink,
  releaseFields,
  releaseRequestHead,
  releaseResponseHead,
  takeRequestHead,
  type UpstreamCodec,
  type UpstreamEvents,
} from '@weft/http-codec';
import { connectTarget } from '../pool/upstream-context.ts';
import { SessionCache } from '../tls/session-cache.ts';
import type { Connection, ConnectionHandler } from '../transport/connection.ts';
import type { PendingConnection } from '../transport/raw-connection.ts';
import type { Exchange } from './exchange.ts';
import type { CheckFailure, Probe, ProbeOwner } from './probe.ts';

/** Asks over HTTP/1.1 or HTTP/2; the connection is kept for the next time where the check allows it. */
export class HttpProbe implements Probe, ConnectionHandler, UpstreamEvents, ResponseSink {
  readonly #exchange: Exchange;
  readonly #owner: ProbeOwner;
  readonly #sessions = new SessionCache();
  #pending: PendingConnection | undefined = undefined;
  #connection: Connection | undefined = undefined;
  #codec: UpstreamCodec | undefined = undefined;
  #encoder: RequestEncoder | undefined = undefined;
  #asking = false;

  constructor(exchange: Exchange, owner: ProbeOwner) {
    this.#exchange = exchange;
    this.#owner = owner;
  }

  start(): void {
    this.#asking = true;
    const codec = this.#codec;
    if (codec !== undefined && codec.availableStreams > 0) {
      this.#ask(codec);
      return;
    }
    this.#drop();
    const { context, upstream } = this.#owner.target;
    this.#pending = connectTarget(context, upstream, this.#sessions, this.#exchange.http2 ? 'http2' : 'http1', {
      onConnected: (connection) => {
        this.#pending = undefined;
        this.#connected(connection);
      },
      onFailed: () => {
        this.#pending = undefined;
        this.#fail('network');
      },
    });
  }

  #connected(connection: Connection): void {
    this.#connection = connection;
    connection.handler = this;
    const codec = this.#exchange.http2
      ? new Http2UpstreamCodec(this, connection.output, defaultHttp2Settings, new Http2Counters())
      : new Http1UpstreamCodec(this, connection.output, defaultHttp1Limits);
    this.#codec = codec;
    this.#ask(codec);
  }

  #ask(codec: UpstreamCodec): void {
    const head = takeRequestHead();
    const body = this.#exchange.ask(head);
    head.targetScheme = this.#connection?.tls === undefined ? 'http' : 'https';
    head.streamGoesOn = body.length > 0;
    const encoder = codec.open(this);
    this.#encoder = encoder;
    encoder.encodeRequest(head, body.length === 0);
    releaseRequestHead(head);
    if (body.length > 0) {
      encoder.encodeData(body, 0, body.length);
      encoder.encodeEnd(undefined);
    }
  }

  abandon(): void {
    this.#asking = false;
    this.#pending?.abandon();
    this.#pending = undefined;
    this.#drop();
  }

  onInformational(head: ResponseHead): void {
    releaseResponseHead(head);
  }

  onResponse(head: ResponseHead, endStream: boolean): void {
    this.#exchange.onHead(head);
    releaseResponseHead(head);
    if (endStream) {
      this.onBodyEnd(undefined);
    }
  }

  onBodyData(bytes: Buffer, start: number, end: number): void {
    this.#exchange.onData(bytes, start, end);
  }

  onBodyEnd(trailers: HeadFields | undefined): void {
    const exchange = this.#exchange;
    this.#encoder = undefined;
    const verdict = exchange.judge(trailers);
    if (trailers !== undefined) {
      releaseFields(trailers);
    }
    if (!this.#asking) {
      return;
    }
    this.#asking = false;
    const { target } = this.#owner;
    if (!target.reuseConnection) {
      this.#drop();
    }
    if (verdict === 'passed' || verdict === 'degraded') {
      this.#owner.onPassed(verdict === 'degraded');
    } else {
      this.#owner.onFailed(verdict, exchange.isExcluded);
    }
  }

  onRequestWritable(): void {}

  onResponseError(): void {
    this.#encoder = undefined;
    this.#fail('network');
    this.#drop();
  }

  onReadPressure(pause: boolean): void {
    if (pause) {
      this.#connection?.pause();
    } else {
      this.#connection?.resume();
    }
  }

  onStreamsAvailable(): void {}

  /** The next question gets another connection: `availableStreams` is 0. */
  onDraining(): void {}

  onFinished(): void {
    if (!this.#asking) {
      this.#drop();
    }
  }

  onData(bytes: Buffer, start: number, end: number): void {
    this.#codec?.receive(bytes, start, end);
  }

  onEnd(): void {
    this.#codec?.receiveEnd();
    this.#fail('network');
    this.#drop();
  }

  onClose(): void {
    const codec = this.#codec;
    this.#connection = undefined;
    this.#codec = undefined;
    codec?.receiveEnd();
    this.#fail('network');
  }

  onWritable(writable: boolean): void {
    if (writable) {
      this.#codec?.outputWritable();
    }
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
    this.#codec = undefined;
    this.#encoder?.cancel();
    this.#encoder = undefined;
    if (connection !== undefined) {
      connection.handler = ended;
      connection.destroy();
    }
  }
}

const ended: ConnectionHandler = { onData() {}, onEnd() {}, onClose() {}, onWritable() {} };
