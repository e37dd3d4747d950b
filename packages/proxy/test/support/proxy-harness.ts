import { type LogFields, type Logger, systemClock } from '@weft/base';
import { createDataPlane } from '../../src/create-data-plane.ts';
import type { ApplyResult, DataPlane, DataPlaneOptions, SecretMaterial } from '../../src/data-plane.ts';
import { responseFlagsText } from '../../src/response-flag.ts';
import type { RuntimeConfig, SecretRef } from '../../src/runtime-config/config.ts';
import type { ConnectionRecord } from '../../src/stream-info.ts';

/** What a test wants to know of one request. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly authority: string;
  readonly code: number;
  readonly flags: string;
  readonly details: string;
  readonly attempts: number;
  readonly endpoint: string | undefined;
  readonly cluster: string;
  readonly routeName: string;
  readonly bytesReceived: number;
  readonly bytesSent: number;
  readonly requestId: string;
  readonly peerUri: string;
  readonly transportFailure: string;
  readonly upgraded: boolean;
  readonly protocol: string;
  readonly grpcStatus: string;
  /** gRPC messages of request and response. */
  readonly messages: string;
}

/** Secrets that a test sets. */
export class TestSecrets {
  readonly #materials = new Map<string, SecretMaterial>();
  readonly #listeners = new Set<(ref: SecretRef) => void>();

  get(ref: SecretRef): SecretMaterial | undefined {
    return this.#materials.get(`${ref.source}/${ref.name}`);
  }

  set(ref: SecretRef, material: SecretMaterial): void {
    this.#materials.set(`${ref.source}/${ref.name}`, material);
    for (const listener of this.#listeners) {
      listener(ref);
    }
  }

  subscribe(listener: (ref: SecretRef) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** A data plane with everything that it reports kept for the test. */
export class ProxyHarness {
  /** Proxies that are made from now on go through Node's streams. */
  static portable = false;
  readonly requests: SeenRequest[] = [];
  readonly tcpEnds: ConnectionRecord[] = [];
  readonly logs: { readonly level: string; readonly message: string; readonly fields: LogFields | undefined }[] = [];
  readonly secrets: TestSecrets = new TestSecrets();
  readonly dataPlane: DataPlane;
  readonly #waiters = new Set<() => void>();

  constructor(overrides: Partial<DataPlaneOptions> = {}) {
    const note = (level: string) => (message: string, fields?: LogFields) => {
      this.logs.push({ level, message, fields });
    };
    const logger: Logger = {
      debug: note('debug'),
      info: note('info'),
      warn: note('warn'),
      error: note('error'),
      with: () => logger,
    };
    this.dataPlane = createDataPlane({
      clock: systemClock,
      logger,
      random: Math.random,
      secrets: this.secrets,
      onStreamEnd: (info) => {
        this.requests.push({
          method: info.method,
          path: info.path,
          authority: info.authority,
          code: info.responseCode,
          flags: responseFlagsText(info.responseFlags),
          details: info.responseCodeDetails,
          attempts: info.attemptCount,
          endpoint: info.endpoint?.address,
          cluster: info.clusterName,
          routeName: info.routeName,
          bytesReceived: info.bytesReceived,
          bytesSent: info.bytesSent,
          requestId: info.requestId,
          peerUri: info.downstream.tls?.peerUri ?? '',
          transportFailure: info.upstreamTransportFailureReason,
          upgraded: info.upgraded,
          protocol: info.protocol,
          grpcStatus: info.grpcStatus,
          messages: `${info.requestMessages}/${info.responseMessages}`,
        });
        this.#wake();
      },
      onTcpStart: () => {},
      onTcpEnd: (record) => {
        this.tcpEnds.push(record);
        this.#wake();
      },
      requestVirtualHost: () => Promise.resolve('answered'),
      portable: ProxyHarness.portable,
      ...overrides,
    });
  }

  #wake(): void {
    for (const waiter of [...this.#waiters]) {
      waiter();
    }
  }

  apply(config: RuntimeConfig): Promise<ApplyResult> {
    return this.dataPlane.apply(config);
  }

  /** The port that a listener is bound to. */
  port(name = 'listener'): number {
    const found = this.dataPlane
      .listeners()
      .find((listener) => listener.name === name && listener.state !== 'draining');
    if (found === undefined || found.state !== 'active') {
      throw new Error(`listener ${name} is ${found?.state ?? 'not there'}`);
    }
    return found.port;
  }

  /** Waits until `count` requests have ended; gives the last. */
  async ended(count = 1, limitMs = 10_000): Promise<SeenRequest> {
    await this.until(() => this.requests.length >= count, limitMs);
    return this.requests.at(-1) as SeenRequest;
  }

  until(condition: () => boolean, limitMs = 10_000): Promise<void> {
    if (condition()) {
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiters.delete(check);
        reject(new Error(`gave up waiting; requests: ${JSON.stringify(this.requests)}`));
      }, limitMs);
      const check = (): void => {
        if (condition()) {
          clearTimeout(timer);
          this.#waiters.delete(check);
          resolve();
        }
      };
      this.#waiters.add(check);
    });
  }

  close(): Promise<void> {
    return this.dataPlane.close();
  }
}
