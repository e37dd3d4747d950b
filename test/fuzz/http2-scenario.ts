import type { RequestEncoder } from '../../packages/http-codec/src/codec.ts';
import { HeadFields } from '../../packages/http-codec/src/head-fields.ts';
import type { Http2Settings } from '../../packages/http-codec/src/http2/settings.ts';
import {
  GivenResponse,
  linesOf,
  requestHead,
  responseHead,
  type ServedRequest,
  TestClient,
  TestServer,
  taken,
} from '../../packages/http-codec/test/http2-peers.ts';

/**
 * A random conversation between our two sides: requests and responses with bodies and trailers in pieces, paused and resumed,
 * over tiny windows, with the bytes carried in pieces of any size. What was sent has to come out.
 */

type Pair = readonly [string, string];

/** A message as it is meant. */
interface Message {
  readonly fields: readonly Pair[];
  readonly chunks: readonly Buffer[];
  readonly trailers: readonly Pair[] | undefined;
  /** Chunks written so far; one more when the end is written. */
  written: number;
  readonly informational: number;
}

interface Conversation {
  readonly method: string;
  readonly path: string;
  readonly request: Message;
  readonly response: Message;
  readonly status: number;
  given: GivenResponse | undefined;
  encoder: RequestEncoder | undefined;
  served: ServedRequest | undefined;
  headSent: boolean;
}

export interface Scenario {
  readonly client: TestClient;
  readonly server: TestServer;
  /** Everything that was sent in each direction. */
  readonly up: Buffer;
  readonly down: Buffer;
  /** What went wrong, empty if nothing. */
  readonly differences: string[];
}

const names = ['accept', 'x-a', 'X-Upper', 'user-agent', 'cookie', 'x-long-name-of-a-field', 'Content-Type', 'etag'];

function pick<Item>(random: () => number, items: readonly Item[]): Item {
  return items[Math.floor(random() * items.length)] as Item;
}

function randomFields(random: () => number): Pair[] {
  const used = new Set<string>();
  const fields: Pair[] = [];
  for (let count = Math.floor(random() * 5); count > 0; count -= 1) {
    const name = pick(random, names);
    if (!used.has(name)) {
      used.add(name);
      fields.push([name, 'v'.repeat(Math.floor(random() * (random() < 0.05 ? 30_000 : 30))) + String(used.size)]);
    }
  }
  return fields;
}

function randomMessage(random: () => number, bodyless: boolean): Message {
  const chunks: Buffer[] = [];
  if (!bodyless) {
    for (let count = Math.floor(random() * 5); count > 0; count -= 1) {
      const length = Math.floor(random() * (random() < 0.2 ? 90_000 : 300));
      chunks.push(Buffer.alloc(length, Math.floor(random() * 256)));
    }
  }
  const fields = randomFields(random);
  const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  if (!bodyless && random() < 0.5) {
    fields.push(['content-length', String(length)]);
  }
  const trailers = !bodyless && random() < 0.3 ? ([['x-trailer', String(length)]] as const) : undefined;
  return { fields, chunks, trailers, written: 0, informational: random() < 0.2 ? 1 : 0 };
}

function fieldsOf(pairs: readonly Pair[] | undefined): HeadFields | undefined {
  if (pairs === undefined) {
    return undefined;
  }
  const fields = new HeadFields();
  for (const [name, value] of pairs) {
    fields.add(name, value);
  }
  return fields;
}

/** Settings in which every window is soon shut and every head soon too long for a frame or a table. */
function tightSettings(random: () => number, carryHeaderNames: boolean): Partial<Http2Settings> {
  return {
    initialStreamWindowBytes: pick(random, [50, 1000, 5000, 65_535, 262_144]),
    initialConnectionWindowBytes: pick(random, [65_535, 100_000, 1_048_576]),
    maxFrameSizeBytes: pick(random, [16_384, 20_000, 100_000]),
    headerTableSizeBytes: pick(random, [0, 100, 4096, 8192]),
    maxConcurrentStreams: pick(random, [1, 5, 100]),
    carryHeaderNames,
  };
}

/** Bytes on their way. */
class Wire {
  readonly #parts: Buffer[] = [];
  #waiting: Buffer = Buffer.alloc(0);

  put(bytes: Buffer): void {
    if (bytes.length > 0) {
      this.#parts.push(bytes);
      this.#waiting = Buffer.concat([this.#waiting, bytes]);
    }
  }

  get length(): number {
    return this.#waiting.length;
  }

  take(count: number): Buffer {
    const taken = Buffer.from(this.#waiting.subarray(0, count));
    this.#waiting = this.#waiting.subarray(count);
    return taken;
  }

  get all(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

export function runScenario(random: () => number): Scenario {
  const carried = random() < 0.3;
  const client = new TestClient(tightSettings(random, carried));
  const server = new TestServer(tightSettings(random, carried));
  const up = new Wire();
  const down = new Wire();
  const conversations: Conversation[] = [];
  const byPath = new Map<string, Conversation>();
  const total = 1 + Math.floor(random() * 12);
  for (let index = 0; index < total; index += 1) {
    const method = pick(random, ['GET', 'POST', 'PUT', 'HEAD']);
    const conversation: Conversation = {
      method,
      path: `/${index}?${'q'.repeat(Math.floor(random() * 20))}`,
      request: randomMessage(random, method === 'HEAD' || random() < 0.4),
      response: randomMessage(random, method === 'HEAD' || random() < 0.2),
      status: pick(random, [200, 201, 404, 500]),
      given: undefined,
      encoder: undefined,
      served: undefined,
      headSent: false,
    };
    conversations.push(conversation);
    byPath.set(conversation.path, conversation);
  }
  server.answer = (served) => {
    const conversation = byPath.get(served.head.path);
    if (conversation !== undefined) {
      conversation.served = served;
    }
  };

  const act = (conversation: Conversation): void => {
    if (conversation.given?.fate === 'not-processed') {
      // Refused, as the server's limit was not known yet: it may be sent again.
      conversation.encoder = undefined;
      conversation.given = undefined;
      conversation.request.written = 0;
    }
    if (conversation.encoder === undefined) {
      if (client.codec.availableStreams > 0) {
        begin(client, conversation);
      }
      return;
    }
    const toServer = random() < 0.5;
    if (toServer) {
      if (conversation.given?.writable === true && !isBodyless(conversation.request)) {
        write(conversation.request, conversation.encoder);
      }
      if (random() < 0.2) {
        conversation.encoder.pauseResponse(random() < 0.5);
      }
    } else if (conversation.served !== undefined) {
      respond(random, conversation, conversation.served);
    }
  };

  const carry = (wire: Wire, receive: (bytes: Buffer) => void): void => {
    if (wire.length > 0) {
      const count = random() < 0.3 ? 1 + Math.floor(random() * 20) : 1 + Math.floor(random() * wire.length);
      receive(wire.take(Math.min(count, wire.length)));
    }
  };

  let quiet = 0;
  for (let step = 0; quiet < 200 && step < 60_000; step += 1) {
    act(pick(random, conversations));
    up.put(taken(client.out));
    down.put(taken(server.out));
    carry(up, (bytes) => server.receive(bytes));
    carry(down, (bytes) => client.receive(bytes));
    up.put(taken(client.out));
    down.put(taken(server.out));
    const moving =
      up.length + down.length > 0 || conversations.some((conversation) => conversation.given?.ended !== true);
    quiet = moving ? 0 : quiet + 1;
    if (step > 20_000) {
      // Nobody pauses for ever.
      for (const { encoder, served } of conversations) {
        encoder?.pauseResponse(false);
        served?.encoder.pauseRequest(false);
      }
    }
  }
  return { client, server, up: up.all, down: down.all, differences: compare(conversations, carried, client, server) };
}

function isBodyless(message: Message): boolean {
  return message.chunks.length === 0 && message.trailers === undefined;
}

function begin(client: TestClient, conversation: Conversation): void {
  const { request } = conversation;
  const bodyless = isBodyless(request);
  // A length goes only with a body that comes.
  const fields = bodyless ? request.fields.filter(([name]) => name !== 'content-length') : request.fields;
  const response = new GivenResponse();
  const encoder = client.codec.open(response);
  encoder.encodeRequest(requestHead(conversation.method, conversation.path, fields), bodyless);
  conversation.encoder = encoder;
  conversation.given = response;
}

function write(
  message: Message,
  encoder: {
    encodeData(bytes: Buffer, start: number, end: number): void;
    encodeEnd(trailers: HeadFields | undefined): void;
  },
): void {
  const chunk = message.chunks[message.written];
  if (chunk !== undefined) {
    encoder.encodeData(chunk, 0, chunk.length);
  } else if (message.written === message.chunks.length) {
    encoder.encodeEnd(fieldsOf(message.trailers));
  }
  message.written += 1;
}

function respond(random: () => number, conversation: Conversation, served: ServedRequest): void {
  const { response } = conversation;
  if (!conversation.headSent) {
    // An early answer would cut the request short.
    if (!served.ended) {
      served.encoder.pauseRequest(random() < 0.3);
      return;
    }
    conversation.headSent = true;
    if (response.informational > 0) {
      served.encoder.encodeInformational(responseHead(103, [['link', '</a>']]));
    }
    served.encoder.encodeHead(responseHead(conversation.status, response.fields), isBodyless(response));
  } else if (!isBodyless(response) && served.writable) {
    write(response, served.encoder);
  }
}

function asWritten(pairs: readonly Pair[]): string[] {
  return pairs.map(([name, value]) => `${name}: ${value}`);
}

function lower(pairs: readonly Pair[]): string[] {
  return pairs.map(([name, value]) => `${name.toLowerCase()}: ${value}`);
}

function compare(
  conversations: readonly Conversation[],
  carried: boolean,
  client: TestClient,
  server: TestServer,
): string[] {
  const written = carried ? asWritten : lower;
  const differences: string[] = [];
  const check = (what: string, actual: unknown, expected: unknown): void => {
    const [left, right] = [JSON.stringify(actual), JSON.stringify(expected)];
    if (left !== right) {
      differences.push(`${what}: ${left?.slice(0, 200)} instead of ${right?.slice(0, 200)}`);
    }
  };
  for (const { method, path, request, response, status, given, served } of conversations) {
    check(`${path} served`, [served?.head.method, served?.ended, served?.resetBy], [method, true, undefined]);
    check(`${path} given`, [given?.head?.status, given?.ended, given?.error], [status, true, undefined]);
    const requestFields = isBodyless(request)
      ? request.fields.filter(([name]) => name !== 'content-length')
      : request.fields;
    check(`${path} request fields`, linesOf(served?.head ?? new HeadFields()), [
      'host: a.test',
      ...written(requestFields),
    ]);
    check(`${path} response fields`, linesOf(given?.head ?? new HeadFields()), written(response.fields));
    check(`${path} interim`, given?.informational.length, response.informational);
    check(`${path} request body`, hashOf(served?.chunks ?? []), hashOf(request.chunks));
    check(`${path} response body`, hashOf(given?.chunks ?? []), hashOf(response.chunks));
    check(`${path} request trailers`, served?.trailers, request.trailers && lower(request.trailers));
    check(`${path} response trailers`, given?.trailers, response.trailers && lower(response.trailers));
  }
  check('server errors', server.errors, []);
  check('finished', [client.finished, server.finished], [false, false]);
  check('streams', [client.codec.activeStreams, server.codec.activeStreams], [0, 0]);
  check('kept', [client.codec.counters.pendingSendBytes, server.codec.counters.pendingSendBytes], [0, 0]);
  return differences;
}

function hashOf(chunks: readonly Buffer[]): string {
  const all = Buffer.concat(chunks);
  let hash = 0;
  for (const byte of all) {
    hash = (Math.imul(hash, 31) + byte) | 0;
  }
  return `${all.length} bytes, ${hash}`;
}
