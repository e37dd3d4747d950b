/** Numbers of RFC 9113. */

/** Frame types, §6. */
export const FrameType = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
  /** RFC 9218 §7.1. */
  priorityUpdate: 16,
} as const;

/** Frame flags, §6. `ack` and `endStream` are the same bit on different types. */
export const Flag = { endStream: 1, ack: 1, endHeaders: 4, padded: 8, priority: 32 } as const;

/** Identifiers of settings, §6.5.2 and RFC 8441 §3. */
export const SettingId = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
  enableConnectProtocol: 8,
} as const;

/** Error codes, §7. */
export const ErrorCode = {
  noError: 0,
  protocolError: 1,
  internalError: 2,
  flowControlError: 3,
  streamClosed: 5,
  frameSizeError: 6,
  refusedStream: 7,
  cancel: 8,
  compressionError: 9,
  connectError: 10,
  enhanceYourCalm: 11,
} as const;

export const frameHeaderBytes = 9;
/** Windows before anybody says otherwise, §6.9.2. */
export const defaultWindowBytes = 65_535;
/** Largest window and largest stream id: 31 bits. */
export const max31 = 0x7fff_ffff;
export const minMaxFrameBytes = 16_384;
export const maxMaxFrameBytes = 16_777_215;

export function readUint32(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number)) >>>
    0
  );
}
