import type { OriginRef } from '@weft/ir';
import { BinaryReader, type MessageCodec, type TypeUrl } from '@weft/xds-types';

/** One resource of xDS. */
export interface XdsMessage {
  readonly typeUrl: TypeUrl;
  readonly name: string;
  /** The decoded message (`@weft/xds-types`). */
  readonly message: unknown;
  /** Resources that it was made from. */
  readonly origins: readonly OriginRef[];
  /** The serialized message; made on the first call, then the same array. */
  encode(): Uint8Array;
}

const blanks = new WeakMap<object, object>();
const nothing = new Uint8Array();

/** A message with `fields`; all others have their default. Nothing may write to it afterwards: defaults are shared. */
export function create<T extends object>(codec: MessageCodec<T>, fields: Partial<T>): T {
  let blank = blanks.get(codec) as T | undefined;
  if (blank === undefined) {
    blank = codec.decode(new BinaryReader(nothing));
    blanks.set(codec, blank);
  }
  return { ...blank, ...fields };
}

/** Makes an {@link XdsMessage} that is encoded when it is first asked for. */
export function xdsMessage<T>(
  typeUrl: TypeUrl,
  name: string,
  codec: MessageCodec<T>,
  message: T,
  origins: readonly OriginRef[],
): XdsMessage {
  return { typeUrl, name, message, origins, encode: once(() => codec.encode(message).finish()) };
}

/** What `make` returned when it was first called. */
export function once<T extends object>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/**
 * A message with more messages in it, in the repeated field `field`: where only a few of many change, only those are encoded again.
 * @param head the message without them, encoded. @param pieces encoded, in order.
 */
export function withMessages(head: Uint8Array, field: number, pieces: readonly Uint8Array[]): Uint8Array {
  const tag = (field << 3) | lengthDelimited;
  const length = pieces.reduce(
    (sum, piece) => sum + varintLength(tag) + varintLength(piece.length) + piece.length,
    head.length,
  );
  const bytes = new Uint8Array(length);
  bytes.set(head);
  let at = head.length;
  for (const piece of pieces) {
    at = writeVarint(bytes, at, tag);
    at = writeVarint(bytes, at, piece.length);
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

/** The wire type of messages (protobuf encoding, "Message Structure"). */
const lengthDelimited = 2;

function varintLength(value: number): number {
  let length = 1;
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) {
    length += 1;
  }
  return length;
}

function writeVarint(bytes: Uint8Array, from: number, value: number): number {
  let at = from;
  let rest = value;
  while (rest > 0x7f) {
    bytes[at] = (rest & 0x7f) | 0x80;
    at += 1;
    rest >>>= 7;
  }
  bytes[at] = rest;
  return at + 1;
}

/** Keeps what was made from an object for as long as that object lives. */
export function perObject<K extends object, V>(build: (key: K) => V): (key: K) => V {
  const made = new WeakMap<K, V>();
  return (key) => {
    let value = made.get(key);
    if (value === undefined) {
      value = build(key);
      made.set(key, value);
    }
    return value;
  };
}
