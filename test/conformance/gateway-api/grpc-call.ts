import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import type { GrpcEcho } from './backends.ts';

export interface GrpcAnswer {
  /** Name of the status code. */
  readonly code: string;
  readonly message: string;
  /** Of the backend; only with `OK`. */
  readonly echo: GrpcEcho | undefined;
}

const timeoutMs = 10_000;

/** Calls unary methods of one address, with one authority. */
export class GrpcCaller {
  readonly #client: Client;

  constructor(target: string, authority: string) {
    this.#client = new Client(target, credentials.createInsecure(), {
      'grpc.default_authority': authority,
      'grpc.use_local_subchannel_pool': 1,
      // A gateway that is not open yet is asked again soon.
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 500,
    });
  }

  call(method: string, metadata: Readonly<Record<string, string>>): Promise<GrpcAnswer> {
    const sent = new Metadata();
    for (const [name, value] of Object.entries(metadata)) {
      sent.set(name, value);
    }
    const bytes = (value: Buffer): Buffer => value;
    return new Promise((resolve) => {
      this.#client.makeUnaryRequest(
        method,
        bytes,
        bytes,
        Buffer.alloc(0),
        sent,
        { deadline: Date.now() + timeoutMs },
        (error: ServiceError | null, reply?: Buffer) =>
          resolve({
            code: status[error?.code ?? status.OK] ?? '',
            message: error?.details ?? '',
            echo: reply === undefined ? undefined : (JSON.parse(reply.toString()) as GrpcEcho),
          }),
      );
    });
  }

  close(): void {
    this.#client.close();
  }
}
