import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomUUID,
  sign,
  verify,
} from 'node:crypto';
import type { Clock } from '@weft/base';
import type { KubeObject } from '@weft/resources';
import type { UserInfo } from '../options.ts';

/** A token longer than this is refused unread. */
export const maxTokenBytes = 8_192;

/** Longest and shortest life of a token, seconds (`TokenRequest.spec.expirationSeconds`). */
export const tokenLife: { readonly minSeconds: number; readonly defaultSeconds: number; readonly maxSeconds: number } =
  {
    minSeconds: 600,
    defaultSeconds: 3_600,
    maxSeconds: 48 * 3_600,
  };

export interface ServiceAccountTokensOptions {
  /** PKCS#8 PEM of a P-256 key; a new one, as long-lived as the process, when absent. */
  readonly keyPem: string | undefined;
  readonly issuer: string;
  readonly clock: Clock;
  /** The account as it is now; a token dies with its account. */
  readonly accountOf: (namespace: string, name: string) => KubeObject | undefined;
}

export interface IssuedToken {
  readonly token: string;
  /** Milliseconds since the Unix epoch. */
  readonly expiresAtMs: number;
}

/** Signs and checks JSON Web Tokens (RFC 7519, ES256) of service accounts. */
export class ServiceAccountTokens {
  readonly #options: ServiceAccountTokensOptions;
  readonly #privateKey: KeyObject;
  readonly #publicKey: KeyObject;

  constructor(options: ServiceAccountTokensOptions) {
    this.#options = options;
    this.#privateKey =
      options.keyPem === undefined
        ? generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
        : createPrivateKey(options.keyPem);
    this.#publicKey = createPublicKey(this.#privateKey);
  }

  /** @param request.audiences empty for the API itself. */
  issue(request: {
    readonly namespace: string;
    readonly name: string;
    readonly uid: string;
    readonly audiences: readonly string[];
    readonly expirationSeconds: number;
  }): IssuedToken {
    const { issuer, clock } = this.#options;
    const nowSeconds = Math.floor(clock.now() / 1000);
    const expiresAt = nowSeconds + request.expirationSeconds;
    const head = encode({ alg: 'ES256', typ: 'JWT' });
    const body = encode({
      iss: issuer,
      sub: `system:serviceaccount:${request.namespace}:${request.name}`,
      aud: request.audiences.length === 0 ? [issuer] : request.audiences,
      iat: nowSeconds,
      nbf: nowSeconds,
      exp: expiresAt,
      jti: randomUUID(),
      'kubernetes.io': { namespace: request.namespace, serviceaccount: { name: request.name, uid: request.uid } },
    });
    const signature = sign('sha256', Buffer.from(`${head}.${body}`), {
      key: this.#privateKey,
      dsaEncoding: 'ieee-p1363',
    });
    return { token: `${head}.${body}.${signature.toString('base64url')}`, expiresAtMs: expiresAt * 1000 };
  }

  /** @returns whose token it is; undefined when it is none of ours, expired, for others, or its account is gone. */
  verify(token: string, audiences: readonly string[]): UserInfo | undefined {
    const parts = token.split('.');
    const [head, body, signature] = parts;
    if (parts.length !== 3 || head === undefined || body === undefined || signature === undefined) {
      return undefined;
    }
    const claims = decode(body);
    if (decode(head)?.['alg'] !== 'ES256' || claims === undefined || claims['iss'] !== this.#options.issuer) {
      return undefined;
    }
    const key = { key: this.#publicKey, dsaEncoding: 'ieee-p1363' } as const;
    if (!verify('sha256', Buffer.from(`${head}.${body}`), key, Buffer.from(signature, 'base64url'))) {
      return undefined;
    }
    return this.#userOf(claims, audiences.length === 0 ? [this.#options.issuer] : audiences);
  }

  #userOf(claims: Readonly<Record<string, unknown>>, audiences: readonly string[]): UserInfo | undefined {
    const { clock, accountOf } = this.#options;
    const nowSeconds = clock.now() / 1000;
    const { exp, nbf, aud } = claims;
    if (typeof exp !== 'number' || exp <= nowSeconds || typeof nbf !== 'number' || nbf > nowSeconds + 1) {
      return undefined;
    }
    if (!Array.isArray(aud) || !aud.some((audience) => audiences.includes(audience as string))) {
      return undefined;
    }
    const own = claims['kubernetes.io'] as
      | { readonly namespace?: unknown; readonly serviceaccount?: { readonly name?: unknown; readonly uid?: unknown } }
      | undefined;
    const namespace = own?.namespace;
    const name = own?.serviceaccount?.name;
    if (typeof namespace !== 'string' || typeof name !== 'string') {
      return undefined;
    }
    const account = accountOf(namespace, name);
    if (account === undefined || account.metadata.uid !== own?.serviceaccount?.uid) {
      return undefined;
    }
    return {
      username: `system:serviceaccount:${namespace}:${name}`,
      uid: account.metadata.uid ?? '',
      groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
    };
  }
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function decode(part: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
