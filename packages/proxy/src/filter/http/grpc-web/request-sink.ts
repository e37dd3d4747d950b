import type { CodecErrorDetail, HeadFields, RequestSink } from '@weft/http-codec';
import { Base64Decoder } from './base64-stream.ts';

/** What is done about a body that is no base64: the request is answered with 400. */
export interface GrpcWebOwner {
  /** Called once; the sink behind hears nothing of the body any more. */
  onInvalidGrpcWebBody(): void;
}

/** Stands before the sink of a gRPC-Web request in text form: turns its body into that of gRPC. */
export class GrpcWebTextSink implements RequestSink {
  readonly #sink: RequestSink;
  readonly #owner: GrpcWebOwner;
  readonly #decoder = new Base64Decoder();
  #refused = false;

  constructor(sink: RequestSink, owner: GrpcWebOwner) {
    this.#sink = sink;
    this.#owner = owner;
  }

  onBodyData(bytes: Buffer, start: number, end: number): void {
    if (this.#refused) {
      return;
    }
    const decoded = this.#decoder.decode(bytes, start, end);
    if (decoded === undefined) {
      this.#refuse();
    } else if (decoded.length > 0) {
      this.#sink.onBodyData(decoded, 0, decoded.length);
    }
  }

  onBodyEnd(trailers: HeadFields | undefined): void {
    if (this.#refused) {
      return;
    }
    if (this.#decoder.complete) {
      this.#sink.onBodyEnd(trailers);
    } else {
      this.#refuse();
    }
  }

  onResponseWritable(writable: boolean): void {
    this.#sink.onResponseWritable(writable);
  }

  onReset(detail: CodecErrorDetail): void {
    this.#refused = true;
    this.#sink.onReset(detail);
  }

  #refuse(): void {
    this.#refused = true;
    this.#owner.onInvalidGrpcWebBody();
  }
}
