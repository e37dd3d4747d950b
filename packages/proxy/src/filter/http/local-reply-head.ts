import { type ResponseHead, takeResponseHead } from '@weft/http-codec';
import type { LocalReply } from '../../local-reply.ts';
import { encodeGrpcMessage, grpcStatusOfHttp } from './grpc/grpc-status.ts';

/**
 * The head of a response that the proxy makes itself. A gRPC client gets it in a form that it understands: 200 with the
 * status of gRPC in the head and no body ("trailers only").
 */
export function localReplyHead(reply: LocalReply, isGrpc: boolean): ResponseHead {
  const head = takeResponseHead();
  if (isGrpc) {
    head.status = 200;
    head.addClean('content-type', 'application/grpc');
    head.addClean('grpc-status', String(reply.grpcStatus ?? grpcStatusOfHttp(reply.status)));
    if (reply.body !== '') {
      head.addClean('grpc-message', encodeGrpcMessage(reply.body));
    }
    return head;
  }
  head.status = reply.status;
  head.contentLength = reply.body.length;
  if (reply.status !== 204 && reply.status !== 304) {
    head.addClean('content-length', String(reply.body.length));
  }
  if (reply.body !== '') {
    head.addClean('content-type', 'text/plain');
  }
  return head;
}
