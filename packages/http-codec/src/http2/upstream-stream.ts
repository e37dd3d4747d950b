import type { RequestEncoder, ResponseSink } from '../codec.ts';
import type { HeadFields } from '../head-fields.ts';
import { KnownHeader } from '../known-header.ts';
import type { RequestHead } from '../request-head.ts';
import type { ResponseHead } from '../response-head.ts';
import { releaseFields } from '../trailer-fields.ts';
import { Http2Stream, type StreamHost } from './http2-stream.ts';
import { readResponseLength } from './response-message.ts';
import { addWebSocketAccept, isWebSocket, webSocketKeyOf } from './websocket-handshake.ts';

/** Interim responses of one request; an upstream that sends more is refused. */
export const maxInformational = 16;

/** What the stream of a request needs of its connection to an upstream. */
export interface UpstreamHost extends StreamHost {
  openStream(stream: UpstreamStream, head: RequestHead, endStream: boolean): void;
  cancelStream(stream: UpstreamStream): void;
}

/** What a response's head turned out to be. */
export type ResponseVerdict = 'ok' | 'informational' | 'malformed' | 'not-expected';

/** One request and its response on a connection to an upstream. */
export class UpstreamStream extends Http2Stream<UpstreamHost> implements RequestEncoder {
  sink: ResponseSink | undefined;
  /** It counts among the active streams. */
  counted = true;
  /** It asked for a tunnel, or is one. */
  tunnel = false;
  #isHead = false;
  #upgrade = '';
  #key: string | undefined = undefined;
  #informational = 0;
  #endBeforeOpen = false;

  constructor(host: UpstreamHost, sink: ResponseSink) {
    super(host);
    this.sink = sink;
  }

  protected override onWritable(writable: boolean): void {
    this.sink?.onRequestWritable(writable);
  }

  override onData(bytes: Buffer, start: number, end: number): void {
    this.sink?.onBodyData(bytes, start, end);
  }

  override onRemoteEnd(trailers: HeadFields | undefined): void {
    const { sink } = this;
    if (!this.tunnel) {
      this.sink = undefined;
    }
    if (sink === undefined || this.tunnel) {
      if (trailers !== undefined) {
        releaseFields(trailers);
      }
      sink?.onBodyEnd(undefined);
    } else {
      sink.onBodyEnd(trailers);
    }
  }

  /** Reads what of the request decides about the response. */
  noteRequest(head: RequestHead): void {
    this.#isHead = head.method === 'HEAD';
    this.#upgrade = head.upgrade;
    this.tunnel = head.upgrade !== '' || head.method === 'CONNECT' || head.opensTunnel;
    if (isWebSocket(head.upgrade)) {
      this.#key = webSocketKeyOf(head);
    }
  }

  /** Gives a response's head the form that it has inside the proxy. */
  interpret(head: ResponseHead, status: number, endStream: boolean): ResponseVerdict {
    head.status = status;
    if (status < 200) {
      this.#informational += 1;
      // 101 is not used in HTTP/2 (RFC 9113 §8.6), and an interim response ends no stream.
      return status === 101 || endStream || this.#informational > maxInformational ? 'not-expected' : 'informational';
    }
    if (this.tunnel) {
      if (status < 300) {
        head.removeKnown(KnownHeader.contentLength, 'content-length');
        this.#beginTunnel(head);
        return 'ok';
      }
      this.tunnel = false;
    }
    if (!readResponseLength(head)) {
      return 'malformed';
    }
    if (this.#isHead || status === 304 || status === 204) {
      this.expectedBytes = 0;
    } else {
      this.expectedBytes = head.contentLength;
      if (endStream && head.contentLength > 0) {
        return 'malformed';
      }
    }
    return 'ok';
  }

  #beginTunnel(head: ResponseHead): void {
    if (this.#upgrade === '') {
      return;
    }
    head.status = 101;
    head.reason = '';
    head.upgrade = this.#upgrade;
    head.addClean('upgrade', this.#upgrade);
    if (this.#key !== undefined) {
      addWebSocketAccept(head, this.#key);
    }
  }

  encodeRequest(head: RequestHead, endStream: boolean): void {
    if (!this.closed) {
      this.host.openStream(this, head, endStream);
    }
  }

  encodeData(bytes: Buffer, start: number, end: number): void {
    this.send(bytes, start, end);
  }

  encodeEnd(trailers: HeadFields | undefined): void {
    if (this.id === 0) {
      this.#endBeforeOpen = true;
    } else {
      this.end(trailers);
    }
  }

  /** The request was sent after it had to wait; so is what came for it meanwhile. */
  opened(): void {
    this.sendKept(this.keptBytes);
    if (this.#endBeforeOpen) {
      this.end(undefined);
    }
  }

  pauseResponse(pause: boolean): void {
    this.pause(pause);
  }

  cancel(): void {
    this.sink = undefined;
    this.host.cancelStream(this);
  }
}
