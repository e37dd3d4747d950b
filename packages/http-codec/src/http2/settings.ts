import { max31, maxMaxFrameBytes, minMaxFrameBytes, SettingId } from './protocol.ts';

/** What one of our HTTP/2 connections allows and asks for. */
export interface Http2Settings {
  /** Streams that the peer may have open at once (`SETTINGS_MAX_CONCURRENT_STREAMS`); more are refused. */
  readonly maxConcurrentStreams: number;
  /** Receive window of a stream, bytes (`SETTINGS_INITIAL_WINDOW_SIZE`), 1 to 2^31-1. */
  readonly initialStreamWindowBytes: number;
  /** Receive window of the connection, bytes, 65,535 to 2^31-1. */
  readonly initialConnectionWindowBytes: number;
  /** Longest frame payload that we take (`SETTINGS_MAX_FRAME_SIZE`), 16,384 to 16,777,215. */
  readonly maxFrameSizeBytes: number;
  /** Dynamic table that the peer may use (`SETTINGS_HEADER_TABLE_SIZE`), and the most that we use of what it offers. */
  readonly headerTableSizeBytes: number;
  /** Names and values of a head or trailer section, bytes; also of a field block in several frames. Envoy's `max_request_headers_kb`. */
  readonly maxHeadBytes: number;
  /** Fields of a head. Envoy's `max_headers_count`. */
  readonly maxFields: number;
  /** Says `SETTINGS_ENABLE_CONNECT_PROTOCOL` (RFC 8441) to clients. Envoy's `allow_connect`. */
  readonly allowExtendedConnect: boolean;
  /**
   * The peer is a Weft proxy (ALPN `weft-h2`): names of fields travel as they were written, see docs/http2.md. Otherwise
   * `x-weft-names` is never sent, and removed when it comes.
   */
  readonly carryHeaderNames: boolean;
}

export const defaultHttp2Settings: Http2Settings = {
  maxConcurrentStreams: 100,
  initialStreamWindowBytes: 256 * 1024,
  initialConnectionWindowBytes: 1024 * 1024,
  maxFrameSizeBytes: 16_384,
  headerTableSizeBytes: 4096,
  maxHeadBytes: 60 * 1024,
  maxFields: 100,
  allowExtendedConnect: true,
  carryHeaderNames: false,
};

/** Identifier and value in turn, as our SETTINGS say them. */
export function announcedSettings(settings: Http2Settings, isServer: boolean): number[] {
  const pairs: number[] = [];
  if (isServer) {
    pairs.push(SettingId.maxConcurrentStreams, settings.maxConcurrentStreams);
    if (settings.allowExtendedConnect) {
      pairs.push(SettingId.enableConnectProtocol, 1);
    }
  } else {
    pairs.push(SettingId.enablePush, 0);
  }
  pairs.push(SettingId.initialWindowSize, settings.initialStreamWindowBytes);
  if (settings.headerTableSizeBytes !== 4096) {
    pairs.push(SettingId.headerTableSize, settings.headerTableSizeBytes);
  }
  if (settings.maxFrameSizeBytes !== minMaxFrameBytes) {
    pairs.push(SettingId.maxFrameSize, settings.maxFrameSizeBytes);
  }
  pairs.push(SettingId.maxHeaderListSize, settings.maxHeadBytes);
  return pairs;
}

/** What is wrong with a setting of the peer, by RFC 9113 §6.5.2. */
export function problemOfSetting(id: number, value: number): string | undefined {
  switch (id) {
    case SettingId.enablePush:
    case SettingId.enableConnectProtocol:
      return value > 1 ? 'a setting that is 0 or 1 has another value' : undefined;
    case SettingId.initialWindowSize:
      return value > max31 ? 'SETTINGS_INITIAL_WINDOW_SIZE above 2^31-1' : undefined;
    case SettingId.maxFrameSize:
      return value < minMaxFrameBytes || value > maxMaxFrameBytes ? 'SETTINGS_MAX_FRAME_SIZE out of range' : undefined;
    default:
      return undefined;
  }
}

/** The SETTINGS payload that an `http2-settings` field holds (RFC 7540 §3.2.1); undefined when it is not valid. */
export function readSettingsField(value: string): Buffer | undefined {
  const payload = Buffer.from(value, 'base64url');
  const isValid = /^[A-Za-z0-9_-]*={0,2}$/.test(value) && payload.length % 6 === 0 && areValidSettings(payload);
  return isValid ? payload : undefined;
}

/** Whether a SETTINGS payload holds no wrong value. */
function areValidSettings(payload: Buffer): boolean {
  for (let at = 0; at < payload.length; at += 6) {
    if (problemOfSetting(payload.readUInt16BE(at), payload.readUInt32BE(at + 2)) !== undefined) {
      return false;
    }
  }
  return true;
}
