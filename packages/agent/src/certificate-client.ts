import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { checkServerIdentity } from 'node:tls';
import { Client, credentials, Metadata, status } from '@grpc/grpc-js';
import { type ErrorCode, MeshError } from '@weft/base';
import { createCsr, createSvid, formatWorkloadId, generatePrivateKey, type Svid } from '@weft/identity';
import { IstioCertificateRequest, IstioCertificateResponse } from '@weft/xds-types/istio/v1/auth/certificate.ts';
import type { AgentBootstrap, HostPort } from './agent-bootstrap.ts';

const path = '/istio.v1.auth.IstioCertificateService/CreateCertificate';
const callTimeoutMs = 10_000;
const maxTokenLength = 16_384;

type Identity = AgentBootstrap['identity'];

/** The first certificate, by the join token: a new key, made here; only the request for it leaves. */
export async function requestByToken(identity: Identity): Promise<Svid> {
  if (identity.tokenFile === undefined) {
    throw new MeshError('TOKEN_INVALID', 'there is neither a valid certificate nor a join token');
  }
  const token = readText(identity.tokenFile, 'join token').trim();
  if (token === '' || token.length > maxTokenLength) {
    throw new MeshError('TOKEN_INVALID', `${identity.tokenFile} holds no join token`);
  }
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${token}`);
  return request(identity, identity.caAddress, metadata, undefined);
}

/** The next certificate, by the one that is still valid. */
export function requestBySvid(identity: Identity, svid: Svid): Promise<Svid> {
  return request(identity, identity.renewAddress, new Metadata(), svid);
}

async function request(
  identity: Identity,
  address: HostPort,
  metadata: Metadata,
  svid: Svid | undefined,
): Promise<Svid> {
  const id = formatWorkloadId(identity);
  const expectedName = identity.serverName ?? address.host;
  const key = await generatePrivateKey();
  const roots = Buffer.from(readText(identity.trustBundleFile, 'trust bundle'));
  const [clientKey, chain] =
    svid === undefined ? [null, null] : [Buffer.from(svid.key.revealPem()), Buffer.from(svid.chainPem)];
  // Said outright: NODE_TLS_REJECT_UNAUTHORIZED=0 of a developer's shell must not give the token away.
  const channelCredentials = credentials.createSsl(roots, clientKey, chain, {
    rejectUnauthorized: true,
    checkServerIdentity: (_, certificate) => checkServerIdentity(expectedName, certificate),
  });
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  const client = new Client(`${host}:${address.port}`, channelCredentials, {
    // SNI has no addresses (RFC 6066 section 3); who answers is checked by the expected name all the same.
    'grpc.ssl_target_name_override': isIP(expectedName) === 0 ? expectedName : 'weft-control-plane',
    // Proxy settings of the environment are meant for the workload.
    'grpc.enable_http_proxy': 0,
    'grpc.use_local_subchannel_pool': 1,
  });
  try {
    const response = await new Promise<IstioCertificateResponse>((resolve, reject) => {
      client.makeUnaryRequest(
        path,
        (message: IstioCertificateRequest) => Buffer.from(IstioCertificateRequest.encode(message).finish()),
        (bytes: Buffer) => IstioCertificateResponse.decode(bytes),
        {
          csr: createCsr(key, id),
          validityDuration: BigInt(Math.floor(identity.certificateTtlMs / 1000)),
          metadata: undefined,
        },
        metadata,
        { deadline: Date.now() + callTimeoutMs },
        (error, answer) => {
          if (error !== null) {
            reject(asMeshError(error, address));
          } else if (answer === undefined) {
            reject(new MeshError('PROTOCOL_ERROR', 'the certificate service sent no answer'));
          } else {
            resolve(answer);
          }
        },
      );
    });
    const issued = createSvid(response.certChain, key);
    if (issued.spiffeId !== id) {
      throw new MeshError('CERTIFICATE_INVALID', `the certificate is for ${issued.spiffeId}, not for ${id}`);
    }
    return issued;
  } finally {
    client.close();
  }
}

const codes: Readonly<Record<number, ErrorCode>> = {
  [status.UNAUTHENTICATED]: 'TOKEN_INVALID',
  [status.PERMISSION_DENIED]: 'FORBIDDEN',
  [status.INVALID_ARGUMENT]: 'INVALID',
  [status.UNAVAILABLE]: 'UNAVAILABLE',
  [status.DEADLINE_EXCEEDED]: 'TIMEOUT',
};

function asMeshError(error: { readonly code: number; readonly details: string }, address: HostPort): MeshError {
  return new MeshError(
    codes[error.code] ?? 'UNAVAILABLE',
    `certificate service at ${address.host}:${address.port}: ${error.details}`,
    { cause: error },
  );
}

function readText(file: string, what: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const cause = MeshError.from(error);
    throw new MeshError(cause.code, `the ${what} cannot be read: ${cause.message}`, { cause: error });
  }
}
