import type { RequestEncoder, ResponseSink, UpstreamCodec, UpstreamEvents } from '../codec.ts';
import type { OutputBuffer } from '../output-buffer.ts';
import { Http2Counters } from './counters.ts';
import type { Http2Settings } from './settings.ts';

/** The client's side of HTTP/2 (RFC 9113): many requests at once. */
export class Http2UpstreamCodec implements UpstreamCodec {
  readonly protocol = 'HTTP/2';
  readonly counters: Http2Counters;
  readonly availableStreams: number = 0;
  readonly activeStreams: number = 0;

  constructor(
    _events: UpstreamEvents,
    _out: OutputBuffer,
    _settings: Http2Settings,
    counters: Http2Counters = new Http2Counters(),
  ) {
    this.counters = counters;
  }

  receive(_bytes: Buffer, _start: number, _end: number): void {}
  receiveEnd(): void {}
  outputWritable(): void {}

  open(_sink: ResponseSink): RequestEncoder {
    throw new Error('comes within the hour');
  }

  /** Sends a PING; `keepalivePending` is true until it is answered. */
  sendKeepalive(): void {}
  readonly keepalivePending: boolean = false;

  /** Says GOAWAY to the peer: the owner opens no more requests and will close the connection when none is under way. */
  beginDrain(): void {}
}
