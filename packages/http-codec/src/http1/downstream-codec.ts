import type { DownstreamCodec, DownstreamEvents, RequestSink, ResponseEncoder } from '../codec.ts';
import type { CodecErrorDetail } from '../codec-error.ts';
import type { HeadFields } from '../head-fields.ts';
import { KnownHeader } from '../known-header.ts';
import type { OutputBuffer } from '../output-buffer.ts';
import { type RequestHead, releaseRequestHead, takeRequestHead } from '../request-head.ts';
import type { ResponseHead } from '../response-head.ts';
import { TextMemo } from '../text-memo.ts';
import { BodyDecoder } from './body-decoder.ts';
import { needMore } from './field-scanner.ts';
import { HeadReader } from './head-reader.ts';
import { writeChunk, writeResponseHead } from './head-writer.ts';
import type { Http1Limits } from './limits.ts';
import { methodOf } from './methods.ts';
import { RequestLineScanner } from './request-line.ts';
import { interpretRequest, type RequestRules } from './request-semantics.ts';

/** Bytes of pipelined requests that are kept while one is answered; reading stops as soon as there are any. */
export const maxBacklogBytes: number = 256 * 1024;

/** Where the receiving side stands. */
const readingHead = 0;
const readingBody = 1;
/** The request is complete; its response is not. */
const answering = 2;
const tunnel = 3;
const closed = 4;

/** How the body of the response is framed. */
const noBody = 0;
const lengthBody = 1;
const chunkedBody = 2;
const closeBody = 3;
const tunnelBody = 4;

/**
 * The server's side of HTTP/1.1 (RFC 9112): requests are read strictly and answered in order, one at a time. What comes
 * behind a request that is still being answered waits in a bounded backlog, with reading stopped.
 */
export class Http1DownstreamCodec implements DownstreamCodec, ResponseEncoder {
  readonly protocol = 'HTTP/1.1';
  readonly #events: DownstreamEvents;
  readonly #rules: RequestRules;
  readonly #out: OutputBuffer;
  readonly #line: RequestLineScanner = new RequestLineScanner();
  readonly #reader: HeadReader<RequestHead>;
  readonly #body: BodyDecoder;
  readonly #authorities: TextMemo = new TextMemo();
  #head: RequestHead | undefined = undefined;
  #sink: RequestSink | undefined = undefined;
  #receiving = readingHead;
  #framing = noBody;
  /** A request waits for its response, or for the rest of it. */
  #responsePending = false;
  #headSent = false;
  #isHead = false;
  #isConnect = false;
  #oldClient = false;
  #keepAlive = true;
  #draining = false;
  #upgradeAsked = false;
  #backlog: Buffer | undefined = undefined;
  /** Reasons not to read: bytes of a request that waits, and the owner of the request under way. */
  #backlogPause = false;
  #requestPause = false;
  #inReceive = false;
  #peerEnded = false;

  constructor(events: DownstreamEvents, out: OutputBuffer, limits: Http1Limits, rules: RequestRules) {
    this.#events = events;
    this.#out = out;
    this.#rules = rules;
    this.#reader = new HeadReader<RequestHead>(limits, this.#line);
    this.#body = new BodyDecoder(limits);
    this.#reader.begin();
  }

  get idle(): boolean {
    return this.#receiving === readingHead && !this.#responsePending && !this.#reader.started;
  }

  get headIncomplete(): boolean {
    return this.#receiving === readingHead && this.#reader.started;
  }

  beginDrain(): void {
    this.#draining = true;
  }

  receive(bytes: Buffer, start: number, end: number): void {
    if (this.#backlog !== undefined) {
      this.#keepForLater(bytes, start, end);
      return;
    }
    this.#inReceive = true;
    let at = start;
    while (at < end && at >= 0) {
      switch (this.#receiving) {
        case readingHead:
          at = this.#receiveHead(bytes, at, end);
          break;
        case readingBody: {
          const sink = this.#sink;
          at = sink === undefined ? end : this.#body.decode(bytes, at, end, sink);
          if (at < 0) {
            this.#refuse(this.#body.error);
          } else if (!this.#body.active && this.#receiving === readingBody) {
            this.#requestComplete();
          }
          break;
        }
        case answering:
          this.#keepForLater(bytes, at, end);
          at = end;
          break;
        case tunnel:
          this.#sink?.onBodyData(bytes, at, end);
          at = end;
          break;
        default:
          at = end;
      }
    }
    this.#inReceive = false;
  }

  #receiveHead(bytes: Buffer, from: number, end: number): number {
    let head = this.#head;
    if (head === undefined) {
      head = takeRequestHead();
      this.#head = head;
    }
    const after = this.#reader.read(bytes, from, end, head);
    if (after === needMore) {
      return end;
    }
    if (after < 0) {
      this.#refuse(this.#reader.error);
      return -1;
    }
    const line = this.#line;
    head.minorVersion = line.minorVersion;
    if (line.minorVersion === 0) {
      head.protocol = 'HTTP/1.0';
    }
    head.method = methodOf(head.bytes, 0, line.methodEnd);
    head.path = head.bytes.latin1Slice(line.targetStart, line.targetEnd);
    const refusal = interpretRequest(head, this.#rules, this.#authorities);
    if (refusal !== undefined) {
      this.#refuse(refusal);
      return -1;
    }
    this.#head = undefined;
    this.#reader.begin();
    this.#begin(head);
    return after;
  }

  #begin(head: RequestHead): void {
    this.#responsePending = true;
    this.#headSent = false;
    this.#isHead = head.method === 'HEAD';
    this.#isConnect = head.method === 'CONNECT';
    this.#oldClient = head.minorVersion === 0;
    this.#keepAlive = head.keepAlive;
    this.#upgradeAsked = head.upgrade !== '' || this.#isConnect;
    const hasBody = head.hasBody;
    if (hasBody) {
      this.#receiving = readingBody;
      if (head.chunked) {
        this.#body.beginChunked();
      } else {
        this.#body.beginLength(head.contentLength);
      }
    } else {
      this.#receiving = answering;
    }
    const sink = this.#events.onRequest(head, this, !hasBody);
    if (this.#responsePending || this.#receiving === readingBody || this.#receiving === tunnel) {
      this.#sink = sink;
    }
  }

  #requestComplete(): void {
    this.#receiving = answering;
    if (!this.#responsePending) {
      this.#next();
    }
  }

  /** Both directions are done: the next request may come, or the connection ends. */
  #next(): void {
    this.#sink = undefined;
    this.pauseRequest(false);
    if (!this.#keepAlive || (this.#peerEnded && this.#backlog === undefined)) {
      this.#finish();
      return;
    }
    this.#receiving = readingHead;
  }

  proceed(): void {
    if (this.#inReceive || this.#receiving !== readingHead || this.#responsePending) {
      return;
    }
    const backlog = this.#backlog;
    if (backlog !== undefined) {
      this.#backlog = undefined;
      this.receive(backlog, 0, backlog.length);
      if (this.#peerEnded && this.#backlog === undefined && !this.#responsePending) {
        this.receiveEnd();
      }
    }
    if (this.#backlogPause && this.#backlog === undefined) {
      this.#backlogPause = false;
      this.#readPressureChanged(this.#requestPause);
    }
  }

  #finish(): void {
    this.#receiving = closed;
    this.#backlog = undefined;
    this.pauseRequest(false);
    this.#events.onFinished();
  }

  #keepForLater(bytes: Buffer, start: number, end: number): void {
    if (this.#receiving === closed) {
      return;
    }
    const piece = Buffer.from(bytes.subarray(start, end));
    const backlog = this.#backlog === undefined ? piece : Buffer.concat([this.#backlog, piece]);
    if (backlog.length > maxBacklogBytes) {
      // Whoever feeds us was told to stop and did not; the requests behind this one are given up.
      this.#keepAlive = false;
      this.#backlog = undefined;
      this.#receiving = closed;
      return;
    }
    this.#backlog = backlog;
    if (!this.#backlogPause) {
      this.#backlogPause = true;
      this.#readPressureChanged(this.#requestPause);
    }
  }

  pauseRequest(pause: boolean): void {
    if (pause !== this.#requestPause) {
      this.#requestPause = pause;
      this.#readPressureChanged(this.#backlogPause);
    }
  }

  /** @param other whether the reason that did not change holds: then nothing changes for the owner. */
  #readPressureChanged(other: boolean): void {
    if (!other) {
      this.#events.onReadPressure(this.#backlogPause || this.#requestPause);
    }
  }

  /** Nothing is kept back: what was encoded is in the output. */
  outputWritable(): void {}

  receiveEnd(): void {
    this.#peerEnded = true;
    if (this.#receiving === tunnel) {
      this.#receiving = closed;
      this.#sink?.onBodyEnd(undefined);
    } else if (this.#receiving === readingBody || (this.#receiving === readingHead && this.#reader.started)) {
      this.#refuse('http1.unexpected_end');
    } else if (this.#receiving === readingHead && !this.#responsePending) {
      this.#finish();
    }
    // Otherwise a half-closed client waits for its response: it gets it, and then the connection ends.
  }

  refuseHead(): ResponseEncoder {
    this.#receiving = closed;
    this.#keepAlive = false;
    this.#dropHead();
    this.#headSent = false;
    this.#responsePending = true;
    return this;
  }

  #dropHead(): void {
    const head = this.#head;
    if (head !== undefined) {
      this.#head = undefined;
      this.#isHead = head.bytes.latin1Slice(0, Math.min(5, head.size)) === 'HEAD ';
      releaseRequestHead(head);
    }
  }

  #refuse(detail: CodecErrorDetail): void {
    const answerable = !this.#headSent || !this.#responsePending;
    this.#receiving = closed;
    this.#keepAlive = false;
    this.#dropHead();
    this.#sink = undefined;
    if (!this.#responsePending) {
      this.#headSent = false;
      this.#responsePending = true;
    }
    this.#events.onCodecError(detail, answerable ? this : undefined);
  }

  get keptBytes(): number {
    return 0;
  }

  closeAfterResponse(): void {
    this.#keepAlive = false;
  }

  encodeInformational(head: ResponseHead): void {
    if (this.#oldClient) {
      return;
    }
    writeResponseHead(head, '\r\n', this.#out);
  }

  encodeHead(head: ResponseHead, endStream: boolean): void {
    this.#headSent = true;
    const status = head.status;
    if (this.#upgradeAsked && (status === 101 || (this.#isConnect && status >= 200 && status < 300))) {
      this.#beginTunnel(head);
      return;
    }
    let framing = '';
    if (status === 204 || status === 304 || status < 200) {
      this.#framing = noBody;
      if (status !== 304) {
        head.removeKnown(KnownHeader.contentLength, 'content-length');
      }
      head.removeKnown(KnownHeader.transferEncoding, 'transfer-encoding');
    } else if (this.#isHead) {
      this.#framing = noBody;
      if (this.#oldClient) {
        head.removeKnown(KnownHeader.transferEncoding, 'transfer-encoding');
      }
    } else if (head.contentLength >= 0) {
      this.#framing = lengthBody;
    } else if (endStream) {
      this.#framing = noBody;
      if (head.chunked) {
        head.removeKnown(KnownHeader.transferEncoding, 'transfer-encoding');
      }
      framing = 'content-length: 0\r\n';
    } else if (this.#oldClient) {
      this.#framing = closeBody;
      this.#keepAlive = false;
      head.removeKnown(KnownHeader.transferEncoding, 'transfer-encoding');
    } else {
      this.#framing = chunkedBody;
      if (!head.chunked) {
        framing = 'transfer-encoding: chunked\r\n';
      }
    }
    if (this.#draining || this.#receiving === closed) {
      this.#keepAlive = false;
    }
    if (!this.#keepAlive) {
      framing += 'connection: close\r\n\r\n';
    } else if (this.#oldClient) {
      framing += 'connection: keep-alive\r\n\r\n';
    } else {
      framing = framing === '' ? '\r\n' : `${framing}\r\n`;
    }
    writeResponseHead(head, framing, this.#out);
    if (endStream) {
      this.#responseComplete();
    }
  }

  #beginTunnel(head: ResponseHead): void {
    this.#framing = tunnelBody;
    this.#keepAlive = false;
    let framing = '\r\n';
    head.removeKnown(KnownHeader.contentLength, 'content-length');
    head.removeKnown(KnownHeader.transferEncoding, 'transfer-encoding');
    if (head.status === 101) {
      framing = 'connection: upgrade\r\n\r\n';
    }
    writeResponseHead(head, framing, this.#out);
    this.#receiving = tunnel;
    const backlog = this.#backlog;
    this.#backlog = undefined;
    if (backlog !== undefined) {
      this.#sink?.onBodyData(backlog, 0, backlog.length);
    }
    if (this.#backlogPause) {
      this.#backlogPause = false;
      this.#readPressureChanged(this.#requestPause);
    }
    if (this.#peerEnded) {
      this.receiveEnd();
    }
  }

  encodeData(bytes: Buffer, start: number, end: number): void {
    if (start === end) {
      return;
    }
    if (this.#framing === chunkedBody) {
      writeChunk(bytes, start, end, this.#out);
    } else if (this.#framing !== noBody) {
      this.#out.copy(bytes, start, end);
    }
  }

  encodeEnd(trailers: HeadFields | undefined): void {
    if (this.#framing === chunkedBody) {
      if (trailers === undefined) {
        this.#out.latin1('0\r\n\r\n');
      } else {
        this.#out.latin1('0\r\n');
        trailers.writeFields(this.#out);
        this.#out.latin1('\r\n');
      }
    }
    this.#responseComplete();
  }

  abort(): void {
    this.#responsePending = false;
    this.#keepAlive = false;
    this.#finish();
  }

  #responseComplete(): void {
    this.#responsePending = false;
    if (this.#receiving === answering) {
      this.#next();
    } else if (this.#receiving === readingBody) {
      // An early response: the rest of the request is not worth reading, and where the next one begins is unknown
      // until it is read. The connection ends (RFC 9112 §9.3).
      this.#body.reset();
      this.#sink = undefined;
      this.#finish();
    } else {
      this.#finish();
    }
  }
}
