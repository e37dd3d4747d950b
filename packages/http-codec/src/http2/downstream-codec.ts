import type { DownstreamCodec, DownstreamEvents, ResponseEncoder } from '../codec.ts';
import type { RequestRules } from '../http1/request-semantics.ts';
import type { OutputBuffer } from '../output-buffer.ts';
import type { RequestHead } from '../request-head.ts';
import { Http2Counters } from './counters.ts';
import type { Http2Settings } from './settings.ts';

/** The server's side of HTTP/2 (RFC 9113). */
export class Http2DownstreamCodec implements DownstreamCodec {
  readonly protocol = 'HTTP/2';
  readonly counters: Http2Counters;
  readonly idle: boolean = true;
  readonly headIncomplete: boolean = false;
  readonly activeStreams: number = 0;

  constructor(
    _events: DownstreamEvents,
    _out: OutputBuffer,
    _settings: Http2Settings,
    _rules: RequestRules,
    counters: Http2Counters = new Http2Counters(),
  ) {
    this.counters = counters;
  }

  receive(_bytes: Buffer, _start: number, _end: number): void {}
  receiveEnd(): void {}
  outputWritable(): void {}
  beginDrain(): void {}
  proceed(): void {}
  refuseHead(): ResponseEncoder {
    throw new Error('comes within the hour');
  }

  /**
   * The request with which an HTTP/1.1 client asked for `Upgrade: h2c` (RFC 7540 §3.2) becomes stream 1, half-closed. To be called
   * before anything else, after 101 was written to the output.
   * @param settings the value of its `http2-settings` field.
   * @returns false when the value is not valid: then nothing was done, and the request is to be answered with 400.
   */
  acceptUpgrade(_head: RequestHead, _settings: string): boolean {
    return false;
  }

  /** Sends a PING; `keepalivePending` is true until it is answered. */
  sendKeepalive(): void {}
  readonly keepalivePending: boolean = false;
}
