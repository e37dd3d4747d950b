import { KnownHeader, type RequestHead, type ResponseHead, takeResponseHead } from '@weft/http-codec';
import type { LocalReply } from '../../local-reply.ts';
import { encodeGrpcMessage, grpcStatusOfHttp } from './grpc/grpc-status.ts';
import { removeResponseHopByHop } from './hop-by-hop.ts';
import type { HttpStream } from './http-stream.ts';

/** Texts of usual service times, so that none is made for each response. */
const smallNumbers: readonly string[] = Array.from({ length: 256 }, (_, number) => String(number));

/** What the connection manager and the route do with the head of an upstream's response. */
export function prepareUpstreamResponse(stream: HttpStream, head: ResponseHead, tunnel: boolean): void {
  const { info, manager, choice } = stream;
  const { config } = manager;
  removeResponseHopByHop(head, tunnel);
  if (tunnel && info.protocol === 'HTTP/2' && !cameWithWebSocketKey(stream.head)) {
    // It confirms a key that the client knows nothing of (RFC 8441 §5).
    head.remove('sec-websocket-accept');
  }
  if (!config.suppressEnvoyHeaders) {
    const elapsed = Math.max(0, Math.round(info.upstreamResponseStartMs - info.upstreamRequestStartMs));
    head.set('x-envoy-upstream-service-time', smallNumbers[elapsed] ?? String(elapsed));
  }
  const { setCookies } = stream.endpointChoice;
  for (let index = 0; index < setCookies.length; index += 1) {
    head.addClean('set-cookie', setCookies[index] as string);
  }
  if (choice !== undefined) {
    info.responseHeaders = head;
    info.responseCode = head.status;
    stream.table?.editResponse(choice, stream.route, head, info);
  }
  filterResponse(stream, head);
  // The connection manager has the last word.
  const { serverHeader } = config;
  if (serverHeader !== 'pass-through') {
    const isThere = head.indexOfKnown(KnownHeader.server) >= 0 || isAdded(head, 'server');
    if (isThere && serverHeader === 'overwrite') {
      head.removeKnown(KnownHeader.server, 'server');
    }
    if (!isThere || serverHeader === 'overwrite') {
      head.addClean('server', config.serverName);
    }
  }
  if (head.indexOfKnown(KnownHeader.date) < 0 && !isAdded(head, 'date')) {
    head.addClean('date', manager.date.at(info.startTimeMs));
  }
}

/** Whether the route, or a filter, has added a field: one or two are there in most heads. */
function isAdded(head: ResponseHead, name: string): boolean {
  for (let index = 0; index < head.addedCount; index += 1) {
    if (head.addedNameAt(index) === name) {
      return true;
    }
  }
  return false;
}

/** The filters in the reverse of their order. */
function filterResponse(stream: HttpStream, head: ResponseHead): void {
  const { responseFilters } = stream.manager;
  for (let index = 0; index < responseFilters.length; index += 1) {
    responseFilters[index]?.(stream, head);
  }
}

/** Whether the client sent a key for its WebSocket; otherwise its codec made one for upstreams that need it. */
function cameWithWebSocketKey(head: RequestHead): boolean {
  for (let index = 0; index < head.addedCount; index += 1) {
    if (head.addedNameAt(index) === 'sec-websocket-key') {
      return false;
    }
  }
  return true;
}

/** The head of a response that the proxy makes itself, with the edits of the route if one was found. */
export function localReplyHead(stream: HttpStream, reply: LocalReply): ResponseHead {
  const { info, manager } = stream;
  const head = info.isGrpc
    ? grpcReplyHead(reply, info.method !== 'HEAD')
    : plainReplyHead(reply, info.protocol !== 'HTTP/2' && info.method !== 'HEAD');
  for (let index = 0; index + 1 < reply.headers.length; index += 2) {
    head.add(reply.headers[index] as string, reply.headers[index + 1] as string);
  }
  info.responseHeaders = head;
  // Envoy does not know the status of its own answers yet when their route edits them.
  stream.table?.editResponse(stream.choice, stream.route, head, info);
  info.responseCode = head.status;
  filterResponse(stream, head);
  if (!head.has('date')) {
    head.addClean('date', manager.date.at(manager.context.clock.now()));
  }
  const { serverHeader, serverName } = manager.config;
  if (serverHeader === 'overwrite' || (serverHeader === 'append-if-absent' && !head.has('server'))) {
    head.set('server', serverName);
  }
  return head;
}

/** A gRPC client gets 200 with the status of gRPC in the head and no body ("trailers only"). */
function grpcReplyHead(reply: LocalReply, withMessage: boolean): ResponseHead {
  const head = takeResponseHead();
  head.status = 200;
  head.addClean('content-type', 'application/grpc');
  head.addClean('grpc-status', String(reply.grpcStatus ?? grpcStatusOfHttp(reply.status)));
  if (reply.body !== '' && withMessage) {
    head.addClean('grpc-message', encodeGrpcMessage(reply.body));
  }
  return head;
}

function plainReplyHead(reply: LocalReply, tellsEmpty: boolean): ResponseHead {
  const head = takeResponseHead();
  head.status = reply.status;
  head.contentLength = reply.body.length;
  // HTTP/2 says with the head that nothing follows, and a HEAD has no body in any case.
  if (reply.status !== 204 && reply.status !== 304 && (reply.body !== '' || tellsEmpty)) {
    head.addClean('content-length', String(reply.body.length));
  }
  if (reply.body !== '') {
    head.addClean('content-type', 'text/plain');
  }
  return head;
}
