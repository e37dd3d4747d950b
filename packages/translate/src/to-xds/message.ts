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
  let bytes: Uint8Array | undefined;
  return {
    typeUrl,
    name,
    message,
    origins,
    encode() {
      bytes ??= codec.encode(message).finish();
      return bytes;
    },
  };
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
