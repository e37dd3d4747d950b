import { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire';
import { Any } from '../gen/google/protobuf/any.ts';
import { type TypeUrl, typeUrlOf } from './type-url.ts';

/** What ts-proto generates for a message. */
export interface MessageCodec<T> {
  encode(message: T, writer?: BinaryWriter): BinaryWriter;
  decode(input: BinaryReader | Uint8Array, length?: number): T;
}

/** Packs `message` under the protobuf full name `fullName`. */
export function packAny<T>(fullName: string, codec: MessageCodec<T>, message: T): Any {
  return { typeUrl: typeUrlOf(fullName), value: codec.encode(message).finish() };
}

/** Unpacks an `Any`; undefined when it is absent or holds another type. Malformed bytes throw. */
export function unpackAny<T>(any: Any | undefined, typeUrl: TypeUrl, codec: MessageCodec<T>): T | undefined {
  return any !== undefined && any.typeUrl === typeUrl ? codec.decode(any.value) : undefined;
}

export { Any, BinaryReader, BinaryWriter };
