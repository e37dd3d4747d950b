import {
  defaultHttp1Limits,
  type HeadFields,
  Http1UpstreamCodec,
  Http2UpstreamCodec,
  type RequestEncoder,
  type ResponseHead,
  type ResponseSink,
  releaseChunk,
  releaseFields,
  releaseRequestHead,
  releaseResponseHead,
  takeRequestHead,
  type UpstreamCodec,
  type UpstreamEvents,
} from '@weft/http-codec';
import type { Cluster } from '../cluster/cluster.ts';
import type { TunnelConfig } from '../runtime-config/config.ts';
import { Connection, type ConnectionHandler, ignoring } from '../transport/connection.ts';
import type { ConnectCallbacks } from '../transport/raw-connection.ts';
import { http2SettingsOf } from './http2-settings.ts';

/**
 * A byte stream that is the body of one HTTP request and of its answer: POST in HTTP/1.1 (chunked) and HTTP/2, CONNECT in HTTP/2. It is a
 * connection from when the HTTP proxy has agreed; each direction ends alone, and the connection that carries it ends with it.
 */
export class HttpTunnel extends Connection implements ConnectionHandler, ResponseSink, UpstreamEvents {
  readonly #carrier: Connection;
  readonly #codec: UpstreamCodec;
  readonly #encoder: RequestEncoder;
  readonly #callbacks: ConnectCallbacks;
  readonly #onOver: () => void;
  #isOpen = false;
  #localEnded = false;
  #remoteEnded = false;
  /** Nothing is read any more: it ends as soon as what waits has gone to the peer. */
  #closing = false;
  /** What is written goes out, then the carrier ends. */
  #finishing = false;
  #carrierFull = false;
  #streamFull = false;

  /**
   * @param carrier whose handler this is until its end.
   * @param onOver is called when the HTTP proxy has answered, just before the callbacks.
   */
  constructor(
    carrier: Connection,
    cluster: Cluster,
    isHttp2: boolean,
    callbacks: ConnectCallbacks,
    onOver: () => void,
  ) {
    super(carrier.context, {
      remoteAddress: carrier.remoteIp,
      remotePort: Number(carrier.remoteAddress.slice(carrier.remoteAddress.lastIndexOf(':') + 1)),
      localAddress: carrier.localIp,
      localPort: carrier.localPort,
    });
    this.tls = carrier.tls;
    this.#carrier = carrier;
    this.#callbacks = callbacks;
    this.#onOver = onOver;
    carrier.bufferLimitBytes = cluster.config.bufferLimitBytes;
    carrier.handler = this;
    this.#codec = isHttp2
      ? new Http2UpstreamCodec(
          this,
          carrier.output,
          http2SettingsOf(cluster, carrier.tls?.alpn),
          cluster.counters.http2,
        )
      : new Http1UpstreamCodec(this, carrier.output, defaultHttp1Limits);
    this.#encoder = this.#codec.open(this);
  }

  ask({ to, method, path }: TunnelConfig): void {
    const head = takeRequestHead();
    head.setMethod(method);
    if (method === 'POST') {
      head.setPath(path);
    }
    head.setAuthority(to);
    head.targetScheme = this.tls === undefined ? 'http' : 'https';
    head.streamGoesOn = true;
    head.opensTunnel = true;
    this.#encoder.encodeRequest(head, false);
    releaseRequestHead(head);
  }

  // ------------------------------------------------------------------------------------- as a connection

  get queuedBytes(): number {
    return this.output.byteLength + this.#encoder.keptBytes + this.#carrier.queuedBytes;
  }

  override relay(_source: Connection, bytes: Buffer, start: number, end: number): void {
    this.flush();
    this.#send(bytes, start, end);
  }

  flush(): void {
    this.dirty = false;
    this.output.flush((bytes, length) => {
      this.#send(bytes, 0, length);
      releaseChunk(bytes);
    });
  }

  #send(bytes: Buffer, start: number, end: number): void {
    if (!this.#localEnded && !this.closed) {
      this.bytesWritten += end - start;
      this.#encoder.encodeData(bytes, start, end);
    }
  }

  pause(): void {
    this.#encoder.pauseResponse(true);
  }

  resume(): void {
    if (!this.#closing) {
      this.#encoder.pauseResponse(false);
    }
  }

  end(): void {
    this.flush();
    if (this.#localEnded || this.closed) {
      return;
    }
    this.#localEnded = true;
    this.#encoder.encodeEnd(undefined);
    this.#endIfDone();
  }

  override closeAfterFlush(abort: boolean): void {
    if (abort && this.queuedBytes === 0) {
      this.reset();
      return;
    }
    this.end();
    this.#closing = true;
    this.pause();
    this.#endIfDone();
  }

  protected override whenFinished(action: () => void): void {
    action();
  }

  destroy(error?: Error): void {
    if (this.closed) {
      return;
    }
    this.#encoder.cancel();
    this.#carrier.handler = ignoring;
    this.#carrier.destroy(error);
    this.deliverClose(error);
  }

  override reset(): void {
    this.#carrier.handler = ignoring;
    this.#carrier.reset();
    this.deliverClose(undefined);
  }

  /** Both directions are through, or nobody wants the other one: what is written goes out, and that is all. */
  #endIfDone(): void {
    const isDone = this.#localEnded && (this.#remoteEnded || this.#closing);
    if (isDone && this.#encoder.keptBytes === 0 && !this.#finishing && !this.closed) {
      this.#finishing = true;
      this.#carrier.closeAfterFlush(false);
    }
  }

  // --------------------------------------------------------------------------------- from the carrier

  onData(bytes: Buffer, start: number, end: number): void {
    this.#codec.receive(bytes, start, end);
    this.#endIfDone();
  }

  onEnd(): void {
    this.#codec.receiveEnd();
    if (!this.#remoteEnded) {
      this.#fail('the connection ended');
    }
  }

  onClose(error: Error | undefined): void {
    if (!this.#finishing) {
      this.#codec.receiveEnd();
    }
    if (this.#isOpen) {
      this.deliverClose(error);
    } else {
      this.#fail('the connection was closed without an answer', error);
    }
  }

  onWritable(writable: boolean): void {
    this.#carrierFull = !writable;
    if (writable) {
      this.#codec.outputWritable();
      this.#endIfDone();
    }
    this.#tellWritable();
  }

  #tellWritable(): void {
    const isFull = this.#carrierFull || this.#streamFull;
    if (isFull !== this.blocked && !this.closed) {
      this.blocked = isFull;
      this.deliverWritable(!isFull);
    }
  }

  // ------------------------------------------------------------------------------------ from the codec

  onInformational(head: ResponseHead): void {
    releaseResponseHead(head);
  }

  onResponse(head: ResponseHead, endStream: boolean): void {
    const { status } = head;
    releaseResponseHead(head);
    // As Envoy: in HTTP/2 nothing but 200 is an agreement.
    if (this.#codec.protocol === 'HTTP/2' ? status !== 200 : status > 299) {
      this.#fail(`the answer is ${status}`);
      return;
    }
    this.#isOpen = true;
    this.#onOver();
    this.#callbacks.onConnected(this);
    if (endStream) {
      this.onBodyEnd(undefined);
    }
  }

  onBodyData(bytes: Buffer, start: number, end: number): void {
    if (!this.#closing) {
      this.deliverData(bytes, start, end);
    }
  }

  onBodyEnd(trailers: HeadFields | undefined): void {
    if (trailers !== undefined) {
      releaseFields(trailers);
    }
    this.#remoteEnded = true;
    this.deliverEnd();
    this.#endIfDone();
  }

  onRequestWritable(writable: boolean): void {
    this.#streamFull = !writable;
    this.#tellWritable();
  }

  onResponseError(detail: string): void {
    this.#fail(detail);
  }

  onReadPressure(pause: boolean): void {
    if (pause) {
      this.#carrier.pause();
    } else {
      this.#carrier.resume();
    }
  }

  onStreamsAvailable(): void {}

  onDraining(): void {}

  onFinished(): void {
    this.#fail('the connection is at its end');
  }

  /** Before the tunnel is open this is a failure to connect, afterwards the end of the connection. */
  #fail(reason: string, cause?: Error): void {
    if (this.closed) {
      return;
    }
    const error = cause ?? new Error(`tunnel: ${reason}`);
    if (this.#isOpen) {
      this.destroy(error);
      return;
    }
    this.closed = true;
    this.#carrier.handler = ignoring;
    this.#carrier.destroy();
    this.#onOver();
    this.#callbacks.onFailed(error);
  }
}
