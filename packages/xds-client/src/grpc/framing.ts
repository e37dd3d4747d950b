/** gRPC over HTTP/2, "Length-Prefixed-Message": one byte of flags, four of length, the message. */
const headBytes = 5;

/** The largest message that is accepted. A bigger one ends the stream: it is no configuration of one proxy. */
const maxMessageBytes: number = 64 * 1024 * 1024;

/** One uncompressed message with its prefix. */
export function frameMessage(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(headBytes + message.length);
  frame[0] = 0;
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, headBytes);
  return frame;
}

/** What is wrong with a stream of frames. */
export type FramingError = 'compressed' | 'too-large';

/** Cuts a stream of bytes into messages. */
export class MessageReader {
  readonly #limit: number;
  #chunks: Buffer[] = [];
  #buffered = 0;

  constructor(limit: number = maxMessageBytes) {
    this.#limit = limit;
  }

  /** True when the stream ended inside a message. */
  get incomplete(): boolean {
    return this.#buffered > 0;
  }

  /** The messages that `chunk` completes, in order; after an error the reader is not to be used. */
  push(chunk: Buffer): Buffer[] | FramingError {
    this.#chunks.push(chunk);
    this.#buffered += chunk.length;
    const messages: Buffer[] = [];
    while (this.#buffered >= headBytes) {
      const head = this.#peek(headBytes);
      const length = head.readUInt32BE(1);
      if (head[0] !== 0) {
        return 'compressed';
      }
      if (length > this.#limit) {
        return 'too-large';
      }
      if (this.#buffered < headBytes + length) {
        break;
      }
      messages.push(this.#take(headBytes + length).subarray(headBytes));
    }
    return messages;
  }

  /** The first `size` buffered bytes, in one piece. Chunks are joined only when a message is there as a whole. */
  #peek(size: number): Buffer {
    const [first] = this.#chunks;
    if (first !== undefined && first.length >= size) {
      return first;
    }
    const head = Buffer.alloc(size);
    let at = 0;
    for (const chunk of this.#chunks) {
      at += chunk.copy(head, at);
      if (at >= size) {
        break;
      }
    }
    return head;
  }

  #take(size: number): Buffer {
    const [first] = this.#chunks;
    const joined = first !== undefined && first.length >= size ? first : Buffer.concat(this.#chunks);
    this.#chunks = joined === first ? this.#chunks.slice(1) : [];
    if (joined.length > size) {
      this.#chunks.unshift(joined.subarray(size));
    }
    this.#buffered -= size;
    return joined.subarray(0, size);
  }
}
