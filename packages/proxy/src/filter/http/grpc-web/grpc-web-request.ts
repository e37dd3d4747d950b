import { KnownHeader, type RequestHead } from '@weft/http-codec';
import { parseGrpcWebType, wantsText } from './media-type.ts';

/** How a gRPC-Web request and its response have to be translated. */
export interface GrpcWebTranslation {
  /** The body of the request is base64: it needs a `GrpcWebTextSink`. */
  readonly requestText: boolean;
  /** The response has to be base64: for the `GrpcWebResponseEncoder`. */
  readonly responseText: boolean;
}

/**
 * Makes a gRPC request of a gRPC-Web request (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md, Envoy's filter
 * `envoy.filters.http.grpc_web`): the media type, `te: trailers`, and no `content-length` where the body will have another length.
 * @param endStream the request has no body; it is translated all the same, so that the server's complaint can be read.
 * @returns undefined, and nothing was changed, when it is not gRPC-Web.
 */
export function translateGrpcWebRequest(head: RequestHead, endStream: boolean): GrpcWebTranslation | undefined {
  const index = head.indexOfKnown(KnownHeader.contentType);
  if (index < 0 || head.method !== 'POST') {
    return undefined;
  }
  const type = parseGrpcWebType(head.valueAt(index));
  if (type === undefined) {
    return undefined;
  }
  head.set('content-type', `application/grpc${type.format}`);
  head.set('te', 'trailers');
  head.teTrailers = true;
  if (type.text && head.contentLength >= 0) {
    head.contentLength = -1;
    head.removeKnown(KnownHeader.contentLength, 'content-length');
    head.streamGoesOn = !endStream;
  }
  return { requestText: type.text, responseText: wantsText(type.text, head.get('accept')) };
}
