import type { CodecErrorDetail } from './codec-error.ts';
import type { HeadFields } from './head-fields.ts';
import type { BodySink } from './http1/body-decoder.ts';
import type { RequestHead } from './request-head.ts';
import type { ResponseHead } from './response-head.ts';

/**
 * What the HTTP connection manager and the pools know of a protocol. A codec does no I/O: it is given bytes that came,
 * and puts bytes to go into the `OutputBuffer` that it was made with; its owner writes them.
 */

/** The way back of one request. Calls in this order: informational*, head, data*, end. */
export interface ResponseEncoder {
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
}

/** The owner of a downstream connection. */
export interface DownstreamEvents {
  /**
   * A request head is complete and valid. `head` belongs to the receiver from now on (`releaseRequestHead`).
   * @param endStream there is no body; otherwise the returned sink receives it.
   */
  onRequest(head: RequestHead, encoder: ResponseEncoder, endStream: boolean): BodySink;
  /**
   * What came is no valid message; no further request will be read. `encoder` is there when a response can still be
   * given (none was begun), else the connection must just end.
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
  /** No request is being received or answered. */
  readonly idle: boolean;
  /** A request head was begun but is not complete. */
  readonly headIncomplete: boolean;
  /** Makes the next response the last (drain). */
  beginDrain(): void;
  /** The owner is done with the request that was answered last: the next one, if it has come already, may begin. */
  proceed(): void;
  /** Gives up an incomplete head: the returned encoder takes one last response. */
  refuseHead(): ResponseEncoder;
}

/** The way of one request to an upstream. Calls: request, data*, end. */
export interface RequestEncoder {
  encodeRequest(head: RequestHead, endStream: boolean): void;
  encodeData(bytes: Buffer, start: number, end: number): void;
  encodeEnd(trailers: HeadFields | undefined): void;
}

/** Who waits for a response. */
export interface ResponseSink extends BodySink {
  onInformational(head: ResponseHead): void;
  /** `head` belongs to the receiver from now on. 101 and 2xx to CONNECT begin a tunnel: then the body is raw bytes. */
  onResponse(head: ResponseHead, endStream: boolean): void;
  /** The response is not valid HTTP, or ended before its end. No further call follows. */
  onResponseError(detail: CodecErrorDetail): void;
}

/** One upstream connection's protocol state. */
export interface UpstreamCodec {
  receive(bytes: Buffer, start: number, end: number): void;
  receiveEnd(): void;
  /** Registers a request: the next response goes to `sink`. */
  open(sink: ResponseSink): RequestEncoder;
  /** The request is given up: its sink hears nothing more, and the connection cannot be used again. */
  cancel(): void;
  /** The connection may carry another request: everything was sent and received, and both sides agreed to keep it. */
  readonly reusable: boolean;
}
