import { createServer, type Server, type Socket } from 'node:net';
import { HeadFields } from '../../packages/http-codec/src/head-fields.ts';
import { HpackDecoder, type HpackResult } from '../../packages/http-codec/src/http2/hpack/decoder.ts';
import { FieldBlock, HpackEncoder } from '../../packages/http-codec/src/http2/hpack/encoder.ts';
import { PseudoFields } from '../../packages/http-codec/src/http2/hpack/pseudo-fields.ts';
import {
  ack,
  endHeaders,
  endStream,
  frame,
  padded,
  settings,
  Type,
} from '../../packages/http-codec/test/hand-made-frames.ts';
import { fieldsOf } from '../../packages/http-codec/test/hpack-blocks.ts';

/**
 * As much of an HTTP/2 server as it takes to exchange heads with Node's own client (nghttp2): our HPACK on both ways, frames without any of
 * the checks that a server needs.
 */

export type Pairs = readonly (readonly [string, string])[];

export interface PeerRequest {
  readonly result: HpackResult;
  readonly pseudo: PseudoFields;
  readonly fields: HeadFields;
}

const withPriority = 0x20;
const headerTableSize = 1;
const prefaceLength = 24;
const maxFrameBytes = 16_384;

export class HpackPeer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #socket: Socket | undefined = undefined;
  /** What is answered to the next request: status and fields, then trailers. */
  answer: { readonly status: number; readonly fields: Pairs; readonly trailers: Pairs | undefined } = {
    status: 200,
    fields: [],
    trailers: undefined,
  };
  lastRequest: PeerRequest | undefined = undefined;
  /** Size of the last header block received. */
  lastBlockBytes = 0;

  constructor() {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      this.#socket = socket;
      this.#serve(socket);
    });
  }

  listen(): Promise<number> {
    return new Promise((resolve) => {
      this.#server.listen(0, '127.0.0.1', () => {
        const address = this.#server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
  }

  close(): void {
    for (const socket of this.#sockets) {
      socket.destroy();
    }
    this.#server.close();
  }

  /** Announces another size of our table; the client's encoder has to follow. */
  announceTable(bytes: number): void {
    this.#announced.push(bytes);
    this.#socket?.write(settings([headerTableSize, bytes]));
  }

  readonly #announced: number[] = [];

  #serve(socket: Socket): void {
    const decoder = new HpackDecoder({ maxTableBytes: 65_536, maxHeadBytes: 61_440, maxFields: 200 });
    const encoder = new HpackEncoder(16_384);
    const out = new FieldBlock();
    let pending = Buffer.alloc(0);
    let prefaceSeen = false;
    let block = Buffer.alloc(0);
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.write(settings());
    this.#announced.push(4096);

    const sendHead = (stream: number, last: boolean): void => {
      const bytes = Buffer.from(out.bytes.subarray(0, out.length));
      for (let at = 0; at === 0 || at < bytes.length; at += maxFrameBytes) {
        const part = bytes.subarray(at, at + maxFrameBytes);
        const flags = (at + maxFrameBytes >= bytes.length ? endHeaders : 0) | (at === 0 && last ? endStream : 0);
        socket.write(frame(at === 0 ? Type.headers : Type.continuation, flags, stream, part));
      }
    };

    const onBlock = (stream: number): void => {
      const fields = new HeadFields();
      const pseudo = new PseudoFields();
      this.lastBlockBytes = block.length;
      const result = decoder.decode(block, 0, block.length, 'request', fields, pseudo);
      this.lastRequest = { result, pseudo, fields };
      if (result === 'compression-error') {
        socket.destroy();
        return;
      }
      const { status, fields: answered, trailers } = this.answer;
      encoder.begin(out);
      encoder.status(status);
      encoder.fields(fieldsOf(answered));
      sendHead(stream, trailers === undefined);
      if (trailers !== undefined) {
        socket.write(frame(Type.data, 0, stream, Buffer.from('body')));
        encoder.begin(out);
        for (const [name, value] of trailers) {
          encoder.field(name, value);
        }
        sendHead(stream, true);
      }
    };

    const onFrame = (type: number, flags: number, stream: number, payload: Buffer): void => {
      if (type === Type.settings && (flags & ack) !== 0) {
        const size = this.#announced.shift();
        if (size !== undefined) {
          decoder.setMaxTableBytes(size);
        }
      } else if (type === Type.settings) {
        for (let at = 0; at + 6 <= payload.length; at += 6) {
          if (payload.readUInt16BE(at) === headerTableSize) {
            encoder.setPeerMaxTableBytes(payload.readUInt32BE(at + 2));
          }
        }
        socket.write(frame(Type.settings, ack, 0));
      } else if (type === Type.ping && (flags & ack) === 0) {
        socket.write(frame(Type.ping, ack, 0, payload));
      } else if (type === Type.headers || type === Type.continuation) {
        let start = 0;
        let end = payload.length;
        if (type === Type.headers) {
          block = Buffer.alloc(0);
          if ((flags & padded) !== 0) {
            end -= payload[0] as number;
            start += 1;
          }
          start += (flags & withPriority) !== 0 ? 5 : 0;
        }
        block = Buffer.concat([block, payload.subarray(start, end)]);
        if ((flags & endHeaders) !== 0) {
          onBlock(stream);
        }
      }
    };

    socket.on('data', (bytes) => {
      pending = Buffer.concat([pending, bytes]);
      if (!prefaceSeen && pending.length >= prefaceLength) {
        prefaceSeen = true;
        pending = pending.subarray(prefaceLength);
      }
      while (prefaceSeen && pending.length >= 9) {
        const length = pending.readUIntBE(0, 3);
        if (pending.length < 9 + length) {
          return;
        }
        const payload = pending.subarray(9, 9 + length);
        const [type, flags, stream] = [pending[3] as number, pending[4] as number, pending.readUInt32BE(5)];
        pending = pending.subarray(9 + length);
        onFrame(type, flags, stream, payload);
      }
    });
  }
}
