import {
  createServer as createHttpServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttp2Server, createSecureServer } from 'node:http2';
import { createServer as createTcpServer, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { Metadata, Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js';
import type { KeyPair } from './certificates.ts';

/** What a backend answers with, and what it notes of what it was asked. */
export interface Backend {
  readonly pod: string;
  readonly namespace: string;
  /** Paths of all requests so far. */
  readonly paths: string[];
}

/** What an HTTP backend tells of a request. */
export interface Echo {
  readonly path: string;
  readonly host: string;
  readonly method: string;
  readonly proto: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly namespace: string;
  readonly pod: string;
  /** undefined: the request came without TLS. */
  readonly tls?: EchoOfTls;
}

/** What a backend tells of the TLS by which it was reached. */
export interface EchoOfTls {
  readonly serverName: string;
  /** Common name in the certificate that was shown to it; empty: none was. */
  readonly client: string;
}

type Close = () => Promise<void>;

const setHeader = 'x-echo-set-header';

/** Answers every request with what it saw. `X-Echo-Set-Header: name:value,…` sets response headers, `?delay=1s` waits. */
export function httpEcho(backend: Backend): RequestListener {
  return (request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? '/', 'http://backend');
    const headers: Record<string, string[]> = {};
    for (let index = 0; index < request.rawHeaders.length; index += 2) {
      const name = (request.rawHeaders[index] ?? '').toLowerCase();
      headers[name] = [...(headers[name] ?? []), request.rawHeaders[index + 1] ?? ''];
    }
    const echo: Echo = {
      path: request.url ?? '',
      host: headers['host']?.[0] ?? headers[':authority']?.[0] ?? '',
      method: request.method ?? '',
      proto: `HTTP/${request.httpVersion}`,
      headers,
      namespace: backend.namespace,
      pod: backend.pod,
      ...tlsOf(request.socket),
    };
    backend.paths.push(echo.path);
    for (const pair of (headers[setHeader] ?? []).flatMap((value) => value.split(','))) {
      const colon = pair.indexOf(':');
      response.appendHeader(pair.slice(0, colon).trim(), pair.slice(colon + 1).trim());
    }
    const delaySeconds = /^(\d+)s$/.exec(url.searchParams.get('delay') ?? '')?.[1] ?? '0';
    const timer = setTimeout(() => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(echo));
    }, Number(delaySeconds) * 1_000);
    response.on('close', () => clearTimeout(timer));
    request.resume();
  };
}

function tlsOf(socket: Socket): Pick<Echo, 'tls'> {
  const { encrypted, servername } = socket as Partial<TLSSocket>;
  if (encrypted !== true) {
    return {};
  }
  const { subject } = (socket as TLSSocket).getPeerCertificate();
  return { tls: { serverName: servername || '', client: subject?.CN?.toString() ?? '' } };
}

interface Listening {
  listen(port: number, address: string, done: () => void): unknown;
  once(event: 'error', listener: (error: Error) => void): unknown;
  close(): unknown;
}

function listen(server: Listening, address: string, port: number, end: () => void = () => undefined): Promise<Close> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, () =>
      resolve(async () => {
        server.close();
        end();
      }),
    );
  });
}

/** HTTP/1.1 on 3000, h2c on 3001, and on 8443 with a key pair both over TLS, where clients are asked for a certificate that nobody verifies. */
export async function startHttpBackend(backend: Backend, address: string, tls: KeyPair | undefined): Promise<Close> {
  const plain = createHttpServer(httpEcho(backend));
  const h2c = createHttp2Server(httpEcho(backend) as unknown as Parameters<typeof createHttp2Server>[1]);
  const closers = [
    await listen(plain, address, 3000, () => plain.closeAllConnections()),
    await listen(h2c, address, 3001, () => undefined),
  ];
  if (tls !== undefined) {
    const secure = createSecureServer(
      { cert: tls.certificate, key: tls.key, allowHTTP1: true, requestCert: true, rejectUnauthorized: false },
      httpEcho(backend) as unknown as Parameters<typeof createSecureServer>[1],
    );
    const sockets = new Set<Socket>();
    secure.on('secureConnection', (socket: TLSSocket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    });
    const end = (): void => {
      for (const socket of sockets) {
        socket.destroy();
      }
    };
    closers.push(await listen(secure, address, 8443, end));
  }
  return async () => void (await Promise.all(closers.map((close) => close())));
}

/** The line protocol: a welcome, then `PING` → `PONG`, `IS_TLS` → `true`, `TEST` → JSON of the backend. */
export async function startTcpBackend(backend: Backend, address: string, tls: KeyPair): Promise<Close> {
  const sockets = new Set<Socket>();
  const serve = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    const sni = (socket as TLSSocket).encrypted === true ? ((socket as TLSSocket).servername ?? '') : undefined;
    socket.write('welcome\n');
    socket.on('data', (data) => {
      for (const line of data.toString().split('\n')) {
        switch (line.trim()) {
          case 'PING':
            socket.write('PONG\n');
            break;
          case 'IS_TLS':
            socket.write(`${sni !== undefined}\n`);
            break;
          case 'TEST':
            socket.write(`${JSON.stringify({ pod: backend.pod, namespace: backend.namespace, sni })}\n`);
            break;
        }
      }
    });
  };
  const end = (): void => {
    for (const socket of sockets) {
      socket.destroy();
    }
  };
  const secure = createTlsServer({ cert: tls.certificate, key: tls.key }, serve);
  secure.on('tlsClientError', () => undefined);
  const closers = [await listen(createTcpServer(serve), address, 3000, end), await listen(secure, address, 8443, end)];
  return async () => void (await Promise.all(closers.map((close) => close())));
}

const service = 'gateway_api_conformance.echo_basic.grpcecho.GrpcEcho';

/** What a gRPC backend answers with, in JSON. */
export interface GrpcEcho {
  readonly method: string;
  readonly namespace: string;
  readonly pod: string;
}

/** Unary methods Echo, EchoTwo and EchoThree on 3000 (h2c). */
export function startGrpcBackend(backend: Backend, address: string): Promise<Close> {
  const server = new Server();
  const methods = ['Echo', 'EchoTwo', 'EchoThree'];
  const definition = Object.fromEntries(
    methods.map((name) => [
      name,
      {
        path: `/${service}/${name}`,
        requestStream: false,
        responseStream: false,
        requestSerialize: (value: Buffer) => value,
        requestDeserialize: (value: Buffer) => value,
        responseSerialize: (value: Buffer) => value,
        responseDeserialize: (value: Buffer) => value,
      },
    ]),
  );
  const implementation = Object.fromEntries(
    methods.map((name) => [
      name,
      (_: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>): void => {
        const method = `/${service}/${name}`;
        backend.paths.push(method);
        const echo: GrpcEcho = { method, namespace: backend.namespace, pod: backend.pod };
        done(null, Buffer.from(JSON.stringify(echo)), new Metadata());
      },
    ]),
  );
  server.addService(definition, implementation);
  return new Promise((resolve, reject) => {
    server.bindAsync(`${address}:3000`, ServerCredentials.createInsecure(), (error) => {
      if (error === null) {
        resolve(async () => server.forceShutdown());
      } else {
        reject(error);
      }
    });
  });
}
