import type { CodecErrorDetail } from './codec-error.ts';
import type { HeadFields } from './head-fields.ts';
import type { BodySink } from './http1/body-decoder.ts';
import type { RequestHead } from './request-head.ts';
import type { ResponseHead } from './response-head.ts';

/**
 * What the HTTP connection manager and the pools know of a protocol. A codec does no I/O: it is given bytes that came,
 * and puts bytes to go into the `OutputBuffer` that it was made with; its owner writes them.
 */

/**
 * The way back of one request. Calls in this order: informational*, head, data*, end. After `encodeEnd`, or a head with
 * `endStream`, the sink of the request hears nothing more, also when its body was not complete. A tunnel is different: there
 * `encodeEnd` ends one direction, and the sink goes on to hear of the other (HTTP/2; the owner of an HTTP/1.1 tunnel ends its side
 * of the connection instead, and calls `encodeEnd` when both are through).
 */
export interface ResponseEncoder {
  /** Bytes of this response that wait for the client to open the stream's window; always 0 for HTTP/1.1. */
  readonly keptBytes: number;
  /** A 1xx response other than 101. */
  encodeInformational(head: ResponseHead): void;
  /**
   * The final head, or 101. Framing is the codec's affair: `head.contentLength` and `head.chunked` say what the source
   * declared; fields of the hop (`connection`, …) were removed before.
   * @param endStream nothing follows; then `encodeEnd` must not be called.
   */
  encodeHead(head: ResponseHead, endStream: boolean): void;
  encodeData(bytes: Buffer, start: number, end: number): void;
  encodeEnd(trailers: HeadFields | undefined): void;
  /** The response cannot be completed: the peer must notice. After it nothing else may be called. */
  abort(): void;
  /** Makes this response the last one on its connection, where the protocol can say so; before `encodeHead`. */
  closeAfterResponse(): void;
  /** Stops (true) or resumes (false) the body of this request: HTTP/1.1 stops reading, HTTP/2 keeps its window shut. */
  pauseRequest(pause: boolean): void;
}

/** Who receives the body of a request, and hears how its stream fares. */
export interface RequestSink extends BodySink {
  /**
   * The client takes this response more slowly than it comes (false), or again as fast (true). Only HTTP/2 knows this of
   * single streams; for HTTP/1.1 the connection's own `onWritable` says it.
   */
  onResponseWritable(writable: boolean): void;
  /** The client gave up this stream alone, or broke a rule on it. Nothing more comes, and nothing more may be encoded. */
  onReset(detail: CodecErrorDetail): void;
}

/** The owner of a downstream connection. */
export interface DownstreamEvents {
  /**
   * A request head is complete and valid. `head` belongs to the receiver from now on (`releaseRequestHead`).
   * @param endStream there is no body; otherwise the returned sink receives it. HTTP/2 begins several before the first
   * is answered.
   */
  onRequest(head: RequestHead, encoder: ResponseEncoder, endStream: boolean): RequestSink;
  /**
   * What came is no valid message; no further request will be read. `encoder` is there when a response can still be
   * given (none was begun), else the connection must just end.
   *
   * HTTP/2: with `encoder`, only this stream is refused (its head is too large, or has no authority), it never was a
   * request, and others go on. Without it the connection is at its end: sinks were told by `onReset`, GOAWAY is in the
   * output, `onFinished` follows, and what is in the output should be written before the connection is closed.
   */
  onCodecError(detail: CodecErrorDetail, encoder: ResponseEncoder | undefined): void;
  /** Reading should stop (true) or may go on (false): the peer sends more than can be worked on. */
  onReadPressure(pause: boolean): void;
  /** The last response was written into the output; the connection is to be closed once it is out. */
  onFinished(): void;
}

/** One downstream connection's protocol state. */
export interface DownstreamCodec {
  readonly protocol: 'HTTP/1.1' | 'HTTP/2';
  /** Bytes came; they are valid during the call only. */
  receive(bytes: Buffer, start: number, end: number): void;
  /** The peer will send nothing more. */
  receiveEnd(): void;
  /** The output of the connection has room again: what was kept back may go out. */
  outputWritable(): void;
  /** No request is being received or answered. */
  readonly idle: boolean;
  /** A request head was begun but is not complete. */
  readonly headIncomplete: boolean;
  /** Takes no more requests: the next response is the last (HTTP/1.1), or GOAWAY says so (HTTP/2). */
  beginDrain(): void;
  /** The owner is done with the request that was answered last: the next one, if it has come already, may begin. */
  proceed(): void;
  /** Gives up an incomplete head: the returned encoder takes one last response. */
  refuseHead(): ResponseEncoder;
}

/** The way of one request to an upstream. Calls: request, data*, end. */
export interface RequestEncoder {
  /** Bytes of this request that wait for the upstream to open the stream's window; always 0 for HTTP/1.1. */
  readonly keptBytes: number;
  encodeRequest(head: RequestHead, endStream: boolean): void;
  encodeData(bytes: Buffer, start: number, end: number): void;
  encodeEnd(trailers: HeadFields | undefined): void;
  /** Stops (true) or resumes (false) the body of the response: HTTP/1.1 stops reading, HTTP/2 keeps its window shut. */
  pauseResponse(pause: boolean): void;
  /**
   * The request is given up: its sink hears nothing more. HTTP/2 resets the stream; an HTTP/1.1 connection cannot be used
   * again.
   */
  cancel(): void;
}

/** What an upstream says about a failed request. */
export type RequestFate =
  /** It may have been worked on. */
  | 'unknown'
  /** It was certainly not worked on (REFUSED_STREAM, or above the last stream of a GOAWAY): sending it again is safe. */
  | 'not-processed';

/** Who waits for a response. */
export interface ResponseSink extends BodySink {
  onInformational(head: ResponseHead): void;
  /** `head` belongs to the receiver from now on. 101 and 2xx to CONNECT begin a tunnel: then the body is raw bytes. */
  onResponse(head: ResponseHead, endStream: boolean): void;
  /** The upstream takes this request's body more slowly than it comes (false), or again (true). HTTP/2 only, see above. */
  onRequestWritable(writable: boolean): void;
  /** The response is not valid HTTP, or ended before its end, or its stream was reset. No further call follows. */
  onResponseError(detail: CodecErrorDetail, fate: RequestFate): void;
}

/** The owner of an upstream connection. */
export interface UpstreamEvents {
  /** Reading should stop (true) or may go on (false). HTTP/1.1: the response is paused. */
  onReadPressure(pause: boolean): void;
  /** `availableStreams` may have changed: a request ended, or the peer told its limit. */
  onStreamsAvailable(): void;
  /** No further request may be opened (GOAWAY, `connection: close`, a broken peer); those under way go on. */
  onDraining(): void;
  /** The connection is of no use any more: close it when its output is out. Sinks were told before. */
  onFinished(): void;
}

/** One upstream connection's protocol state. */
export interface UpstreamCodec {
  readonly protocol: 'HTTP/1.1' | 'HTTP/2';
  receive(bytes: Buffer, start: number, end: number): void;
  receiveEnd(): void;
  /** The output of the connection has room again. */
  outputWritable(): void;
  /** Begins a request; the response goes to `sink`. Only while `availableStreams` is above 0. */
  open(sink: ResponseSink): RequestEncoder;
  /** Requests that may be opened now; 0 for good once the connection drains. HTTP/1.1: 1 or 0. */
  readonly availableStreams: number;
  /** Requests under way. */
  readonly activeStreams: number;
}
