import {
  createSecureServer,
  type Http2SecureServer,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { SpiffeId } from '@weft/identity';
import type { CertificateAuthority } from '@weft/identity/authority';
import { IstioCertificateRequest, IstioCertificateResponse } from '@weft/xds-types/istio/v1/auth/certificate.ts';

/** One call of `CreateCertificate` as the server saw it. */
export interface SeenCall {
  readonly authorization: string | undefined;
  /** SANs of the client certificate, empty without one. */
  readonly clientNames: string;
}

/** A gRPC server for the CSR call, scripted: the test decides what each call gets. */
export interface CertificateServer {
  readonly port: number;
  readonly calls: SeenCall[];
  close(): Promise<void>;
}

export type Script = (
  call: SeenCall,
  count: number,
) => { readonly grpcStatus: number; readonly message: string } | undefined;

/** @param script undefined as its result: the call is answered with a certificate. */
export async function startCertificateServer(
  ca: CertificateAuthority,
  identity: SpiffeId,
  options: { readonly ttlMs?: number; readonly script?: Script; readonly requestCert?: boolean } = {},
): Promise<CertificateServer> {
  const pair = await ca.issueServer({ dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'] });
  const calls: SeenCall[] = [];
  const sessions = new Set<ServerHttp2Session>();
  const server: Http2SecureServer = createSecureServer({
    cert: pair.chainPem,
    key: pair.key.revealPem(),
    ca: ca.trustBundle.value.pem,
    requestCert: options.requestCert ?? true,
    rejectUnauthorized: false, // verified-by: the test looks at what was presented
  });
  server.on('session', (session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
  });
  server.on('sessionError', () => {});
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    const chunks: Buffer[] = [];
    stream.on('error', () => {});
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => {
      const socket = stream.session?.socket as TLSSocket | undefined;
      const names = socket?.getPeerCertificate?.().subjectaltname ?? '';
      const call = { authorization: headers.authorization, clientNames: names };
      calls.push(call);
      const refusal = options.script?.(call, calls.length);
      if (refusal !== undefined) {
        stream.respond(
          {
            ':status': 200,
            'content-type': 'application/grpc',
            'grpc-status': String(refusal.grpcStatus),
            'grpc-message': encodeURIComponent(refusal.message),
          },
          { endStream: true },
        );
        return;
      }
      const request = IstioCertificateRequest.decode(Buffer.concat(chunks).subarray(5));
      ca.issueSvid({
        csrPem: request.csr,
        identity,
        ...(options.ttlMs === undefined ? {} : { ttlMs: options.ttlMs }),
      }).then(
        (issued) => {
          const message = IstioCertificateResponse.encode({ certChain: [...issued.certChain] }).finish();
          const frame = Buffer.alloc(5 + message.length);
          frame.writeUInt32BE(message.length, 1);
          frame.set(message, 5);
          stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
          stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
          stream.end(frame);
        },
        (error: Error) =>
          stream.respond(
            { ':status': 200, 'grpc-status': '3', 'grpc-message': encodeURIComponent(error.message) },
            { endStream: true },
          ),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    calls,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const session of sessions) {
          session.destroy();
        }
      }),
  };
}
