import assert from 'node:assert/strict';
import { FrameParser } from '../../../packages/http-codec/test/hand-made-frames.ts';
import { responseHead, type ServedRequest, TestServer, taken } from '../../../packages/http-codec/test/http2-peers.ts';
import { Http2Peer } from './peer.ts';
import { testRequirements } from './requirements.ts';

/** Answers when the request is complete, as an origin behind the proxy would. */
function answer(request: ServedRequest): void {
  const reply = (): void => {
    const body = Buffer.from('hello from the codec');
    const isHead = request.head.method === 'HEAD';
    request.encoder.encodeHead(responseHead(200, [['content-length', String(body.length)]]), isHead);
    if (!isHead) {
      request.encoder.encodeData(body, 0, body.length);
      request.encoder.encodeEnd(undefined);
    }
  };
  if (request.ended) {
    reply();
  } else {
    request.onEnd = reply;
  }
}

/** Bytes go straight into the codec and out of it. */
class CodecPeer extends Http2Peer {
  readonly #server = new TestServer();
  readonly #parser = new FrameParser();

  /** Requests that came to their end. */
  get served(): number {
    return this.#server.requests.filter((request) => request.ended).length;
  }

  constructor() {
    super();
    this.#server.answer = answer;
  }

  send(...bytes: readonly Buffer[]): void {
    this.#server.receive(Buffer.concat(bytes));
    this.received(this.#parser.push(taken(this.#server.out)));
    if (this.#server.finished) {
      this.ended();
    }
  }

  end(): void {
    this.#server.codec.receiveEnd();
  }
}

let peer: CodecPeer | undefined;

testRequirements(
  'codec',
  async () => {
    peer = new CodecPeer();
    return peer;
  },
  () => assert.equal(peer?.served, 0, 'a malformed request was served'),
);
