/** Bytes that are no protobuf message, or none that the server knows. */
export class ProtobufError extends Error {
  override readonly name = 'ProtobufError';
}

/** Wire types of protobuf that Kubernetes' messages use: numbers and what has a length. */
export type WireType = 'varint' | 'length';

/** Reads the fields of one protobuf message (protobuf.dev/programming-guides/encoding). */
export class WireReader {
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.#offset >= this.#bytes.length;
  }

  /** Number and wire type of the next field. @throws ProtobufError. */
  tag(): { readonly field: number; readonly type: WireType } {
    const tag = this.varint();
    const field = Number(tag >> 3n);
    const type = Number(tag & 7n);
    if (field === 0 || field >= 2 ** 29 || (type !== 0 && type !== 2)) {
      throw new ProtobufError(`field ${field} has wire type ${type}, which no served kind uses`);
    }
    return { field, type: type === 0 ? 'varint' : 'length' };
  }

  /** As an unsigned number of 64 bits. @throws ProtobufError when it ends early or is too long. */
  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#bytes[this.#offset];
      if (byte === undefined) {
        throw new ProtobufError('it ends within a number');
      }
      this.#offset += 1;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) {
        return BigInt.asUintN(64, value);
      }
    }
    throw new ProtobufError('it has a number of more than ten bytes');
  }

  /** A view, not a copy. @throws ProtobufError when the length goes past the end. */
  bytes(): Uint8Array {
    const length = this.varint();
    const left = this.#bytes.length - this.#offset;
    if (length > BigInt(left)) {
      throw new ProtobufError(`it says ${length} bytes follow where ${left} are left`);
    }
    const start = this.#offset;
    this.#offset += Number(length);
    return this.#bytes.subarray(start, this.#offset);
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** @throws ProtobufError when the bytes are no UTF-8. */
export function textOf(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new ProtobufError('it has text that is no UTF-8');
  }
}
