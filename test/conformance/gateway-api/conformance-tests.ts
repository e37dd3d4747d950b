import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EchoOfTls } from './backends.ts';

/** What the public data says of one test; `../shared/conformance/README.md` explains every field. */
export interface ConformanceTest {
  /** With the manifests. */
  readonly folder: string;
  readonly name: string;
  readonly features: readonly string[];
  readonly manifests: readonly string[];
  readonly steps?: readonly string[];
  readonly cases: readonly ConformanceCase[];
  readonly statusExpectations: readonly string[];
}

export interface ConformanceCase {
  readonly name?: string;
  /** `namespace/name` of the Gateway that the request goes to. */
  readonly gateway?: string;
  /** Of the listener; default: that of the first with the protocol. */
  readonly port?: number;
  /** The workload that sends, where the request goes through the mesh. */
  readonly from?: string;
  readonly request: RequestOfCase;
  readonly backendSetResponseHeaders?: Readonly<Record<string, string>>;
  readonly expectedRequest?: ExpectedRequest;
  readonly redirectRequest?: {
    readonly scheme?: string;
    readonly host?: string;
    readonly port?: string;
    readonly path?: string;
  };
  readonly response: {
    readonly statusCodes?: readonly number[];
    readonly headers?: Readonly<Record<string, string>>;
    readonly validHeaderValues?: Readonly<Record<string, readonly string[]>>;
    readonly absentHeaders?: readonly string[];
    readonly ignoreWhitespace?: boolean;
    readonly grpcCode?: string;
    readonly connection?: 'accepted' | 'rejected';
    readonly backendIsTLS?: boolean;
    readonly sniSeenByBackend?: string;
  };
  readonly backend?: string;
  readonly namespace?: string;
  readonly mirroredTo?: readonly { readonly name: string; readonly namespace: string }[];
  readonly distribution?: {
    readonly weights: Readonly<Record<string, number>>;
    readonly requests: number;
    readonly concurrency: number;
    readonly tolerance: number;
    readonly maxRuns: number;
  };
  readonly repeat?: number;
  /** What keeps the requests of a client at one pod: the name of a cookie or of a header that the first answer brings. */
  readonly session?: { readonly kind: 'cookie' | 'header'; readonly name: string };
  readonly note?: string;
}

export interface RequestOfCase {
  readonly protocol?: 'https' | 'tls' | 'grpc (h2c)';
  readonly host?: string;
  readonly sni?: string;
  /** Of gRPC: the full name of the method. */
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly authority?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly trusted?: string;
  readonly clientCertificate?: string;
}

interface ExpectedRequest {
  readonly path?: string;
  readonly host?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly absentHeaders?: readonly string[];
  /** `HTTP/1.1` or `HTTP/2.0`. */
  readonly proto?: string;
  readonly tls?: Readonly<Partial<EchoOfTls>>;
}

/** Every test of the data, by name. */
export function conformanceTests(folder: string): readonly ConformanceTest[] {
  const expectations = join(folder, 'expectations');
  return readdirSync(expectations)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => ({
      ...(JSON.parse(readFileSync(join(expectations, file), 'utf8')) as Omit<ConformanceTest, 'folder'>),
      folder,
    }));
}

/**
 * What the public data leaves out, in the same form. Rows say some things besides: `port` of the listener, `trusted` and
 * `clientCertificate` (Secrets, by `namespace/name`) of an HTTPS client, and what the backend saw of HTTP and TLS, and
 * how sessions are kept.
 */
export const ownData = join(import.meta.dirname, 'own');
