import type { HeadFields } from '../head-fields.ts';
import type { OutputBuffer } from '../output-buffer.ts';
import { releaseFields, takeFields } from '../trailer-fields.ts';
import { ConnectionStreams } from './connection-streams.ts';
import type { Http2Counters } from './counters.ts';
import { framesOrRoutes, HeadBlocks, sharedBlock } from './head-blocks.ts';
import type { HpackResult } from './hpack/decoder.ts';
import type { FieldSection } from './hpack/pseudo-fields.ts';
import type { Http2Stream } from './http2-stream.ts';
import { defaultWindowBytes, ErrorCode, readUint32, SettingId } from './protocol.ts';
import { announcedSettings, type Http2Settings, problemOfSetting } from './settings.ts';

/** What both peers of an HTTP/2 connection have agreed on (RFC 9113 §6.5), and field blocks as far as they are no side's affair. */
export abstract class ConnectionHeads<Stream extends Http2Stream> extends ConnectionStreams<Stream> {
  protected readonly blocks: HeadBlocks;
  #settingsAcknowledged = false;

  constructor(out: OutputBuffer, settings: Http2Settings, counters: Http2Counters) {
    super(out, settings, counters);
    this.blocks = new HeadBlocks(settings, counters);
  }

  /** A setting of the peer that only one side cares for. @returns what is wrong with it. */
  protected abstract onSetting(id: number, value: number): string | undefined;
  /** The peer's side of a stream is complete. `trailers` belong to its owner. */
  protected abstract remoteEnd(stream: Stream, trailers: HeadFields | undefined): void;

  // ---------------------------------------------------------------------------------------- settings

  /** The first frames of ours. */
  protected sendSettings(): void {
    this.writer.settings(announcedSettings(this.settings, this.isServer));
    const more = this.settings.initialConnectionWindowBytes - defaultWindowBytes;
    if (more > 0) {
      this.writer.windowUpdate(0, more);
    }
  }

  /** @returns false when a value is wrong; the connection is dead then. */
  protected applySettings(bytes: Buffer, start: number, end: number): boolean {
    let window = this.peerWindow;
    for (let at = start; at < end; at += 6) {
      const id = ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
      const value = readUint32(bytes, at + 2);
      const problem = problemOfSetting(id, value) ?? this.onSetting(id, value);
      if (problem !== undefined) {
        if (id === SettingId.initialWindowSize) {
          this.fail(ErrorCode.flowControlError, 'http2.flow_control_error', problem);
        } else {
          this.fail(ErrorCode.protocolError, 'http2.protocol_error', problem);
        }
        return false;
      }
      if (id === SettingId.initialWindowSize) {
        window = value;
      } else if (id === SettingId.maxFrameSize) {
        this.writer.maxFrameBytes = value;
      } else if (id === SettingId.headerTableSize) {
        this.blocks.encoder.setPeerMaxTableBytes(value);
      }
    }
    return window === this.peerWindow || this.changePeerWindow(window);
  }

  /** The peer has acknowledged our settings; they hold from now on. */
  protected settingsAcknowledged(): void {
    if (this.#settingsAcknowledged) {
      return;
    }
    this.#settingsAcknowledged = true;
    this.blocks.settingsAcknowledged();
    const change = this.settings.initialStreamWindowBytes - this.streamWindow;
    if (change < 0) {
      this.streamWindow += change;
      this.streams.forEach((stream) => {
        stream.receiveWindow += change;
      });
    }
  }

  // ------------------------------------------------------------------------------------- field blocks

  /** @returns what became of the block; undefined: the connection is dead. */
  protected decode(
    bytes: Buffer,
    start: number,
    end: number,
    section: FieldSection,
    fields: HeadFields,
  ): Exclude<HpackResult, 'compression-error'> | undefined {
    const result = this.blocks.decode(bytes, start, end, section, fields);
    return result === 'compression-error' ? this.#compressionError() : result;
  }

  /** Decodes a block that nobody wants. @returns false: the connection is dead. */
  protected skipBlock(bytes: Buffer, start: number, end: number, section: FieldSection): boolean {
    if (this.blocks.skip(bytes, start, end, section) !== 'compression-error') {
      return true;
    }
    this.#compressionError();
    return false;
  }

  #compressionError(): undefined {
    this.fail(ErrorCode.compressionError, 'http2.compression_error', this.blocks.problem);
  }

  /** Trailers of a stream that is open. */
  protected receiveTrailers(stream: Stream, bytes: Buffer, start: number, end: number, endStream: boolean): void {
    const fields = takeFields();
    const result = this.decode(bytes, start, end, 'trailers', fields);
    if (result === 'ok' && endStream && stream.expectedBytes <= 0 && !framesOrRoutes(fields)) {
      this.counters.trailers += 1;
      this.remoteEnd(stream, fields.count === 0 ? undefined : fields);
      return;
    }
    releaseFields(fields);
    if (result === undefined) {
      return;
    }
    if (result === 'too-large') {
      this.streamError(stream, ErrorCode.enhanceYourCalm, 'http2.too_many_trailers');
    } else if (result === 'malformed') {
      this.streamError(stream, ErrorCode.protocolError, 'http2.violation.of.messaging.rule');
    } else {
      this.messagingError(stream);
    }
  }

  override sendTrailers(stream: Http2Stream, trailers: HeadFields): void {
    this.counters.trailers += 1;
    const { encoder } = this.blocks;
    encoder.begin(sharedBlock);
    encoder.fields(trailers);
    if (sharedBlock.length === 0) {
      this.writer.endStream(stream.id);
    } else {
      this.writer.headers(stream.id, sharedBlock, true);
    }
  }
}
