import { type HeadFields, KnownHeader, type ResponseEncoder, type ResponseHead } from '@weft/http-codec';
import { encodeBase64 } from './base64-stream.ts';
import { trailersFrame } from './trailers-frame.ts';

const grpcType = /^application\/grpc(\+[a-z0-9.-]{1,40})?\s*(?:;.*)?$/i;

/**
 * Stands before the encoder of a gRPC-Web request: a gRPC response becomes one of gRPC-Web, its trailers the last frame of the body. A
 * response that is not gRPC (an error page of something on the way) passes as it is: the client maps its HTTP status.
 */
export class GrpcWebResponseEncoder implements ResponseEncoder {
  readonly #encoder: ResponseEncoder;
  readonly #text: boolean;
  #translating = false;

  /** @param text the client wants base64. */
  constructor(encoder: ResponseEncoder, text: boolean) {
    this.#encoder = encoder;
    this.#text = text;
  }

  get keptBytes(): number {
    return this.#encoder.keptBytes;
  }

  encodeInformational(head: ResponseHead): void {
    this.#encoder.encodeInformational(head);
  }

  encodeHead(head: ResponseHead, endStream: boolean): void {
    const match = grpcType.exec(head.getKnown(KnownHeader.contentType, 'content-type') ?? '');
    if (match !== null) {
      this.#translating = true;
      head.set(
        'content-type',
        `application/grpc-web${this.#text ? '-text' : ''}${match[1]?.toLowerCase() ?? '+proto'}`,
      );
      if (!endStream && head.contentLength >= 0) {
        // The frame of the trailers is added, and text is longer.
        head.contentLength = -1;
        head.removeKnown(KnownHeader.contentLength, 'content-length');
      }
      // Names of trailers that will not come as trailers.
      head.removeKnown(KnownHeader.trailer, 'trailer');
    }
    this.#encoder.encodeHead(head, endStream);
  }

  encodeData(bytes: Buffer, start: number, end: number): void {
    if (this.#translating && this.#text) {
      const text = encodeBase64(bytes, start, end);
      this.#encoder.encodeData(text, 0, text.length);
    } else {
      this.#encoder.encodeData(bytes, start, end);
    }
  }

  encodeEnd(trailers: HeadFields | undefined): void {
    if (!this.#translating) {
      this.#encoder.encodeEnd(trailers);
      return;
    }
    if (trailers !== undefined) {
      const frame = trailersFrame(trailers);
      this.encodeData(frame, 0, frame.length);
    }
    this.#encoder.encodeEnd(undefined);
  }

  abort(): void {
    this.#encoder.abort();
  }

  closeAfterResponse(): void {
    this.#encoder.closeAfterResponse();
  }

  pauseRequest(pause: boolean): void {
    this.#encoder.pauseRequest(pause);
  }
}
