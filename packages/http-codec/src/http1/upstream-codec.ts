import type { RequestEncoder, RequestFate, ResponseSink, UpstreamCodec, UpstreamEvents } from '../codec.ts';
import type { CodecErrorDetail } from '../codec-error.ts';
import type { HeadFields } from '../head-fields.ts';
import { KnownHeader } from '../known-header.ts';
import type { OutputBuffer } from '../output-buffer.ts';
import type { RequestHead } from '../request-head.ts';
import { type ResponseHead, releaseResponseHead, takeResponseHead } from '../response-head.ts';
import { BodyDecoder } from './body-decoder.ts';
import { needMore } from './field-scanner.ts';
import { HeadReader } from './head-reader.ts';
import { writeChunk, writeRequestHead } from './head-writer.ts';
import type { Http1Limits } from './limits.ts';
import { type ConnectionOptions, readFramingField } from './message-framing.ts';
import { StatusLineScanner } from './status-line.ts';

const idle = 0;
const readingHead = 1;
const readingBody = 2;
const tunnel = 3;
const broken = 4;

const options: ConnectionOptions = { close: false, keepAlive: false, upgrade: false };

/** Interim responses of one request; an upstream that sends more is refused. */
export const maxInformational = 16;

/** Methods with which a server may insist on a length (RFC 9110 §8.6); HTTP/2 says by its framing that there is no body. */
function mayHaveBody(method: string): boolean {
  switch (method) {
    case 'GET':
    case 'HEAD':
    case 'DELETE':
    case 'TRACE':
    case 'CONNECT':
      return false;
    default:
      return true;
  }
}

/** The client's side of HTTP/1.1: one request at a time. */
export class Http1UpstreamCodec implements UpstreamCodec, RequestEncoder {
  readonly protocol = 'HTTP/1.1';
  readonly keptBytes = 0;
  readonly #events: UpstreamEvents;
  readonly #out: OutputBuffer;
  readonly #line: StatusLineScanner = new StatusLineScanner();
  readonly #reader: HeadReader<ResponseHead>;
  readonly #body: BodyDecoder;
  #sink: ResponseSink | undefined = undefined;
  #head: ResponseHead | undefined = undefined;
  #receiving = idle;
  #requestDone = true;
  #chunkedRequest = false;
  #method = '';
  #upgradeAsked = false;
  #keepAlive = true;
  #informational = 0;
  #paused = false;

  constructor(events: UpstreamEvents, out: OutputBuffer, limits: Http1Limits) {
    this.#events = events;
    this.#out = out;
    this.#reader = new HeadReader<ResponseHead>(limits, this.#line);
    this.#body = new BodyDecoder(limits);
  }

  /** 1 when everything was sent and received, and both sides agreed to keep the connection. */
  get availableStreams(): number {
    return this.#receiving === idle && this.#requestDone && this.#keepAlive ? 1 : 0;
  }

  get activeStreams(): number {
    return (this.#receiving === idle && this.#requestDone) || this.#receiving === broken ? 0 : 1;
  }

  pauseResponse(pause: boolean): void {
    if (pause !== this.#paused) {
      this.#paused = pause;
      this.#events.onReadPressure(pause);
    }
  }

  /** Nothing is kept back: what was encoded is in the output. */
  outputWritable(): void {}

  open(sink: ResponseSink): RequestEncoder {
    this.#sink = sink;
    this.#receiving = readingHead;
    this.#requestDone = false;
    this.#informational = 0;
    this.pauseResponse(false);
    this.#reader.begin();
    return this;
  }

  cancel(): void {
    this.#sink = undefined;
    this.#receiving = broken;
    this.#keepAlive = false;
    this.#body.reset();
    const head = this.#head;
    if (head !== undefined) {
      this.#head = undefined;
      releaseResponseHead(head);
    }
  }

  encodeRequest(head: RequestHead, endStream: boolean): void {
    this.#method = head.method;
    this.#upgradeAsked = head.upgrade !== '' || head.method === 'CONNECT';
    this.#chunkedRequest = !endStream && head.contentLength < 0;
    if (endStream && head.contentLength < 0 && !this.#upgradeAsked && mayHaveBody(head.method)) {
      head.addClean('content-length', '0');
      head.contentLength = 0;
    }
    writeRequestHead(head, this.#chunkedRequest, this.#out);
    this.#requestDone = endStream;
  }

  encodeData(bytes: Buffer, start: number, end: number): void {
    if (this.#receiving === broken || start === end) {
      return;
    }
    if (this.#chunkedRequest && this.#receiving !== tunnel) {
      writeChunk(bytes, start, end, this.#out);
    } else {
      this.#out.copy(bytes, start, end);
    }
  }

  encodeEnd(trailers: HeadFields | undefined): void {
    if (this.#chunkedRequest && this.#receiving !== tunnel) {
      this.#out.latin1('0\r\n');
      trailers?.writeFields(this.#out);
      this.#out.latin1('\r\n');
    }
    this.#requestDone = true;
  }

  receive(bytes: Buffer, start: number, end: number): void {
    let at = start;
    while (at < end) {
      const sink = this.#sink;
      if (sink === undefined || this.#receiving === idle || this.#receiving === broken) {
        // Bytes that nobody asked for: the connection can never be used again.
        this.#keepAlive = false;
        this.#receiving = broken;
        return;
      }
      if (this.#receiving === readingHead) {
        at = this.#receiveHead(bytes, at, end, sink);
        if (at < 0) {
          return;
        }
      } else if (this.#receiving === readingBody) {
        at = this.#body.decode(bytes, at, end, this);
        if (at < 0) {
          this.#fail(this.#body.error);
          return;
        }
      } else {
        sink.onBodyData(bytes, at, end);
        return;
      }
    }
  }

  onBodyData(bytes: Buffer, start: number, end: number): void {
    this.#sink?.onBodyData(bytes, start, end);
  }

  onBodyEnd(trailers: HeadFields | undefined): void {
    const sink = this.#sink;
    this.#sink = undefined;
    this.#receiving = idle;
    sink?.onBodyEnd(trailers);
  }

  #receiveHead(bytes: Buffer, from: number, end: number, sink: ResponseSink): number {
    let head = this.#head;
    if (head === undefined) {
      head = takeResponseHead();
      this.#head = head;
    }
    const after = this.#reader.read(bytes, from, end, head);
    if (after === needMore) {
      return end;
    }
    if (after < 0) {
      this.#fail(this.#reader.error);
      return -1;
    }
    const line = this.#line;
    head.minorVersion = line.minorVersion;
    head.status = line.status;
    head.reason = line.status === 200 ? 'OK' : head.bytes.latin1Slice(line.reasonStart, line.reasonEnd);
    const refusal = this.#interpret(head);
    if (refusal !== undefined) {
      this.#fail(refusal);
      return -1;
    }
    this.#head = undefined;
    this.#reader.begin();
    this.#deliver(head, sink);
    return after;
  }

  #deliver(head: ResponseHead, sink: ResponseSink): void {
    const status = head.status;
    if (status === 101 || (this.#method === 'CONNECT' && status >= 200 && status < 300)) {
      this.#keepAlive = false;
      this.#receiving = tunnel;
      sink.onResponse(head, false);
      return;
    }
    if (status < 200) {
      sink.onInformational(head);
      return;
    }
    const bodyless = status === 204 || status === 304 || this.#method === 'HEAD';
    if (bodyless || (!head.chunked && head.contentLength === 0)) {
      this.#sink = undefined;
      this.#receiving = idle;
      sink.onResponse(head, true);
      return;
    }
    this.#receiving = readingBody;
    if (head.chunked) {
      this.#body.beginChunked();
    } else if (head.contentLength > 0) {
      this.#body.beginLength(head.contentLength);
    } else {
      this.#keepAlive = false;
      this.#body.beginUntilClose();
    }
    sink.onResponse(head, false);
  }

  /** RFC 9112 §6.3. A response with two framings is refused rather than guessed at. */
  #interpret(head: ResponseHead): CodecErrorDetail | undefined {
    options.close = false;
    options.keepAlive = false;
    options.upgrade = false;
    for (let index = 0; index < head.count; index += 1) {
      const id = head.idAt(index);
      switch (id) {
        case KnownHeader.contentLength:
        case KnownHeader.transferEncoding:
        case KnownHeader.connection: {
          const refusal = readFramingField(head, id, index, options);
          if (refusal !== undefined) {
            return refusal;
          }
          break;
        }
        case KnownHeader.upgrade:
          head.upgrade = head.valueAt(index).toLowerCase();
          break;
        default:
      }
    }
    if (head.chunked && head.contentLength >= 0) {
      return 'http1.content_length_and_chunked_not_allowed';
    }
    head.keepAlive = options.close ? false : head.minorVersion === 1 || options.keepAlive;
    const status = head.status;
    if (status < 200 || status === 204) {
      // RFC 9110 §8.6, RFC 9112 §6.1: neither framing may stand here; what follows cannot be trusted.
      if (head.chunked || head.contentLength > 0) {
        head.keepAlive = false;
      }
    }
    if (status === 101 && !this.#upgradeAsked) {
      return 'http1.unexpected_response';
    }
    if (status < 200 && status !== 101) {
      this.#informational += 1;
      if (this.#informational > maxInformational || head.minorVersion === 0) {
        return 'http1.unexpected_response';
      }
    }
    if (!head.keepAlive) {
      this.#keepAlive = false;
    }
    return undefined;
  }

  receiveEnd(): void {
    const sink = this.#sink;
    this.#keepAlive = false;
    if (sink === undefined) {
      this.#receiving = broken;
      return;
    }
    if (this.#receiving === tunnel) {
      // The other direction goes on.
      this.#sink = undefined;
      sink.onBodyEnd(undefined);
    } else if (this.#receiving !== readingBody || !this.#body.end(this)) {
      this.#fail('http1.unexpected_end');
    }
  }

  #fail(detail: CodecErrorDetail): void {
    const sink = this.#sink;
    this.cancel();
    const fate: RequestFate = 'unknown';
    sink?.onResponseError(detail, fate);
  }
}
