import type { IncomingMessage } from 'node:http';
import { type Client, type ClientReadableStream, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { type Recommendation, recommendationsApi } from './recommendations-api.ts';
import { forwardedHeaders } from './web.ts';

const timeoutMs = 1_000;

type Headers = IncomingMessage['headers'];

interface Stub extends Client {
  forBook(
    request: { book: string },
    metadata: Metadata,
    options: { deadline: number },
    done: (error: ServiceError | null, reply?: { recommendations: readonly Recommendation[] }) => void,
  ): void;
  forShelf(
    request: { count: number },
    metadata: Metadata,
    options: { deadline: number },
  ): ClientReadableStream<Recommendation>;
}

/** Asks for recommendations over gRPC. A service that is away, slow or without an answer recommends nothing; never an error. */
export class RecommendationsClient {
  readonly #stub: Stub | undefined;

  /** @param address `host:port`; empty: nobody recommends anything. */
  constructor(address: string) {
    const Api = recommendationsApi();
    this.#stub = address === '' ? undefined : (new Api(address, credentials.createInsecure()) as unknown as Stub);
  }

  forBook(book: string, headers: Headers): Promise<readonly Recommendation[]> {
    const stub = this.#stub;
    if (stub === undefined) {
      return Promise.resolve([]);
    }
    return new Promise((resolve) => {
      stub.forBook({ book }, metadataOf(headers), { deadline: Date.now() + timeoutMs }, (_, reply) =>
        resolve(reply?.recommendations ?? []),
      );
    });
  }

  forShelf(count: number, headers: Headers): Promise<readonly Recommendation[]> {
    const stub = this.#stub;
    if (stub === undefined) {
      return Promise.resolve([]);
    }
    return new Promise((resolve) => {
      const list: Recommendation[] = [];
      const stream = stub.forShelf({ count }, metadataOf(headers), { deadline: Date.now() + timeoutMs });
      stream.on('data', (recommendation: Recommendation) => list.push(recommendation));
      stream.on('error', () => resolve([]));
      stream.on('end', () => resolve(list));
    });
  }
}

function metadataOf(headers: Headers): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(forwardedHeaders(headers))) {
    metadata.set(name, value);
  }
  return metadata;
}
