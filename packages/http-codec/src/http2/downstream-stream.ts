import type { RequestSink, ResponseEncoder } from '../codec.ts';
import type { HeadFields } from '../head-fields.ts';
import { KnownHeader } from '../known-header.ts';
import type { ResponseHead } from '../response-head.ts';
import { releaseFields } from '../trailer-fields.ts';
import { Http2Stream, type StreamHost } from './http2-stream.ts';

/** What the stream of a request needs of its connection. */
export interface DownstreamHost extends StreamHost {
  sendHead(stream: DownstreamStream, head: ResponseHead, status: number, endStream: boolean): void;
  /** The owner cannot complete the response. */
  abortStream(stream: DownstreamStream): void;
  beginDrain(): void;
}

/** No tunnel was asked for; … was asked for; … is open; … was refused: what the client sends for it is dropped. */
const plain = 0;
const tunnelAsked = 1;
const tunnel = 2;
const tunnelRefused = 3;

/** Statuses that begin a tunnel where one was asked for by extended CONNECT, as HTTP/1.1 says it and as HTTP/2 does. */
const switchingProtocols = 101;
const badGateway = 502;

/** One request and its response on a connection of a client. */
export class DownstreamStream extends Http2Stream<DownstreamHost> implements ResponseEncoder {
  sink: RequestSink | undefined = undefined;
  /** The final head was written. */
  headSent = false;
  /** The owner has encoded everything, or given up. */
  ownerDone = false;
  #mode = plain;
  #extended = false;
  #ownerPause = false;
  /** The answer is no tunnel though it looks like one: its body is dropped. */
  #dropBody = false;
  /** What came for a tunnel that is not open yet; its window stays shut, so it is bounded by that. */
  #early: Buffer[] | undefined = undefined;

  /** The request asks for a tunnel: CONNECT, or extended CONNECT. */
  askTunnel(extended: boolean): void {
    this.#mode = tunnelAsked;
    this.#extended = extended;
    this.paused = true;
  }

  protected override onWritable(writable: boolean): void {
    this.sink?.onResponseWritable(writable);
  }

  override onData(bytes: Buffer, start: number, end: number): void {
    if (this.#mode === tunnelAsked) {
      this.#early ??= [];
      this.#early.push(Buffer.from(bytes.subarray(start, end)));
    } else if (this.#mode !== tunnelRefused) {
      this.sink?.onBodyData(bytes, start, end);
    }
  }

  override onRemoteEnd(trailers: HeadFields | undefined): void {
    const { sink } = this;
    if (sink !== undefined && this.#mode === plain) {
      sink.onBodyEnd(trailers);
      return;
    }
    if (trailers !== undefined) {
      releaseFields(trailers);
    }
    if (this.#mode === tunnel) {
      sink?.onBodyEnd(undefined);
    }
  }

  encodeInformational(head: ResponseHead): void {
    if (!this.closed && !this.headSent) {
      this.host.sendHead(this, head, head.status, false);
    }
  }

  encodeHead(head: ResponseHead, endStream: boolean): void {
    if (this.closed || this.headSent) {
      return;
    }
    this.headSent = true;
    let { status } = head;
    if (this.#mode === tunnelAsked) {
      const success = status >= 200 && status < 300;
      if (this.#extended ? status === switchingProtocols : success) {
        this.#beginTunnel(head);
        return;
      }
      this.#mode = tunnelRefused;
      this.#early = undefined;
      if (success) {
        // In HTTP/2 a 2xx would say that the tunnel is open, and the client would take the page for it.
        status = badGateway;
        this.#dropBody = true;
        head.removeKnown(KnownHeader.contentLength, 'content-length');
      }
      this.pause(false);
    }
    if (endStream) {
      this.#done();
      this.endWithHead();
      this.host.sendHead(this, head, status, true);
      this.host.localEnd(this);
    } else {
      this.host.sendHead(this, head, status, false);
    }
  }

  #beginTunnel(head: ResponseHead): void {
    this.#mode = tunnel;
    head.removeKnown(KnownHeader.contentLength, 'content-length');
    this.host.sendHead(this, head, this.#extended ? 200 : head.status, false);
    const early = this.#early;
    this.#early = undefined;
    for (const piece of early ?? []) {
      this.sink?.onBodyData(piece, 0, piece.length);
    }
    if (this.remoteEnded) {
      this.sink?.onBodyEnd(undefined);
    }
    this.pause(this.#ownerPause);
  }

  encodeData(bytes: Buffer, start: number, end: number): void {
    if (!this.#dropBody) {
      this.send(bytes, start, end);
    }
  }

  encodeEnd(trailers: HeadFields | undefined): void {
    if (this.isTunnel) {
      // Each direction of a tunnel ends by itself.
      this.end(undefined);
      return;
    }
    this.#done();
    this.end(this.#dropBody ? undefined : trailers);
  }

  get isTunnel(): boolean {
    return this.#mode === tunnel;
  }

  abort(): void {
    this.#done();
    this.host.abortStream(this);
  }

  closeAfterResponse(): void {
    this.host.beginDrain();
  }

  pauseRequest(pause: boolean): void {
    this.#ownerPause = pause;
    if (this.#mode !== tunnelAsked) {
      this.pause(pause);
    }
  }

  /** The owner's object for this request may be used for another one from now on. */
  #done(): void {
    this.ownerDone = true;
    this.sink = undefined;
  }
}
