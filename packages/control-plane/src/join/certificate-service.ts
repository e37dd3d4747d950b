import { X509Certificate } from 'node:crypto';
import { type handleUnaryCall, type Metadata, type Server, type ServiceDefinition, status } from '@grpc/grpc-js';
import { type Clock, type Logger, MeshError } from '@weft/base';
import { parseWorkloadId, type SpiffeId, spiffeIdOf, validityOf } from '@weft/identity';
import type { CertificateAuthority } from '@weft/identity/authority';
import { IstioCertificateRequest, IstioCertificateResponse } from '@weft/xds-types/istio/v1/auth/certificate.ts';
import type { JoinTokenStore } from './join-token-store.ts';

/** `istio.v1.auth.IstioCertificateService`: one unary call, `CreateCertificate`. */
export const certificateServiceDefinition = {
  createCertificate: {
    path: '/istio.v1.auth.IstioCertificateService/CreateCertificate',
    requestStream: false,
    responseStream: false,
    requestSerialize: (message: IstioCertificateRequest) =>
      Buffer.from(IstioCertificateRequest.encode(message).finish()),
    requestDeserialize: (bytes: Buffer) => IstioCertificateRequest.decode(bytes),
    responseSerialize: (message: IstioCertificateResponse) =>
      Buffer.from(IstioCertificateResponse.encode(message).finish()),
    responseDeserialize: (bytes: Buffer) => IstioCertificateResponse.decode(bytes),
  },
} as const satisfies ServiceDefinition;

type CreateCertificate = handleUnaryCall<IstioCertificateRequest, IstioCertificateResponse>;

export interface CertificateServiceOptions {
  readonly ca: CertificateAuthority;
  readonly tokens: JoinTokenStore;
  /** Whether a workload of this identity still belongs to the mesh; asked before a renewal. */
  readonly mayRenew: (identity: SpiffeId) => boolean;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told of each refusal. */
  readonly onRefused?: (identity: string, reason: string) => void;
}

/** First certificates: who calls is known by a join token and nothing else. For a port without client certificates. */
export function addFirstCertificateService(server: Server, options: CertificateServiceOptions): void {
  const { ca, tokens, logger } = options;
  const handler: CreateCertificate = (call, callback) => {
    const answer = async (): Promise<IstioCertificateResponse> => {
      const token = await tokens.find(bearerToken(call.metadata));
      // Made before the token is used up: a mistake in the request does not cost the token.
      const issued = await ca.issueSvid({
        csrPem: call.request.csr,
        identity: token.identity,
        ttlMs: Number(call.request.validityDuration) * 1_000,
      });
      await token.consume();
      logger.info('first certificate issued', { identity: token.identity, notAfter: new Date(issued.notAfter) });
      return { certChain: [...issued.certChain] };
    };
    answer().then(
      (response) => callback(null, response),
      (error: unknown) => callback(serviceError(error, '', options)),
    );
  };
  server.addService(certificateServiceDefinition, { createCertificate: handler });
}

/** Renewals: who calls is known by the client certificate of the connection. For a port that requires one. */
export function addRenewalService(server: Server, options: CertificateServiceOptions): void {
  const { ca, logger } = options;
  const handler: CreateCertificate = (call, callback) => {
    const raw = call.getAuthContext().sslPeerCertificate?.raw;
    const certificate = raw === undefined ? undefined : new X509Certificate(raw);
    const identity = certificate === undefined ? undefined : spiffeIdOf(certificate);
    const answer = async (): Promise<IstioCertificateResponse> => {
      if (certificate === undefined || identity === undefined || parseWorkloadId(identity) === undefined) {
        throw new MeshError('UNAUTHENTICATED', 'the client certificate is not the SVID of a workload');
      }
      // TLS looks at it in a full handshake only: a long connection and a resumed session outlive it.
      const { notAfter } = validityOf(certificate);
      if (options.clock.now() > notAfter) {
        throw new MeshError(
          'UNAUTHENTICATED',
          `the client certificate expired at ${new Date(notAfter).toISOString()}`,
          {
            hint: 'Join again with a new token.',
          },
        );
      }
      if (!options.mayRenew(identity)) {
        throw new MeshError('FORBIDDEN', `no Proxy of the mesh has the identity ${identity} any more`, {
          hint: 'Join again with a new token.',
        });
      }
      const { csr, validityDuration } = call.request;
      const issued = await ca.issueSvid({ csrPem: csr, identity, ttlMs: Number(validityDuration) * 1_000 });
      logger.debug('certificate renewed', { identity, notAfter: new Date(issued.notAfter) });
      return { certChain: [...issued.certChain] };
    };
    answer().then(
      (response) => callback(null, response),
      (error: unknown) => callback(serviceError(error, identity ?? '', options)),
    );
  };
  server.addService(certificateServiceDefinition, { createCertificate: handler });
}

function bearerToken(metadata: Metadata): string {
  const [value, ...more] = metadata.get('authorization');
  if (typeof value !== 'string' || more.length > 0) {
    throw new MeshError('UNAUTHENTICATED', 'exactly one authorization header with a join token is needed', {
      hint: 'Send `authorization: Bearer <join token>`.',
    });
  }
  const match = /^Bearer +(\S+)$/i.exec(value);
  if (match?.[1] === undefined) {
    throw new MeshError('UNAUTHENTICATED', 'the authorization header is not of the form `Bearer <join token>`');
  }
  return match[1];
}

const statusOf: Readonly<Partial<Record<MeshError['code'], status>>> = {
  TOKEN_INVALID: status.UNAUTHENTICATED,
  UNAUTHENTICATED: status.UNAUTHENTICATED,
  FORBIDDEN: status.PERMISSION_DENIED,
  INVALID: status.INVALID_ARGUMENT,
  TOO_LARGE: status.RESOURCE_EXHAUSTED,
  UNAVAILABLE: status.UNAVAILABLE,
};

function serviceError(thrown: unknown, identity: string, { logger, onRefused }: CertificateServiceOptions) {
  const error = MeshError.from(thrown);
  const code = statusOf[error.code];
  if (code === undefined) {
    logger.error('certificate not issued', { identity, error });
    return {
      code: status.INTERNAL,
      details: 'the certificate could not be issued; the log of the control plane says why',
    };
  }
  logger.warn('certificate refused', { identity, reason: error.message });
  onRefused?.(identity, error.message);
  return { code, details: `${error.message}. ${error.hint}` };
}
