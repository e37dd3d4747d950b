import type { IncomingMessage } from 'node:http';
import { type PeerCertificate, TLSSocket } from 'node:tls';
import type { Clock } from '@weft/base';
import type { TokenVerifier, UserInfo } from '../options.ts';
import { maxTokenBytes, type ServiceAccountTokens } from './service-account-token.ts';

/** Who sent a request. `refused`: a credential was shown and is not good; `anonymous`: none was shown. */
export type Authentication =
  | { readonly kind: 'user'; readonly user: UserInfo }
  | { readonly kind: 'refused' }
  | { readonly kind: 'anonymous' };

/** Believes client certificates that TLS has verified, then bearer tokens. Credentials are never logged. */
export class Authenticator {
  readonly #tokens: ServiceAccountTokens;
  readonly #verifiers: readonly TokenVerifier[];
  readonly #clock: Clock;
  /** A connection's certificate never changes, and reading it costs more than the rest of a small request. */
  readonly #certificates = new WeakMap<TLSSocket, CertificateHolder>();

  constructor(tokens: ServiceAccountTokens, verifiers: readonly TokenVerifier[], clock: Clock) {
    this.#tokens = tokens;
    this.#verifiers = verifiers;
    this.#clock = clock;
  }

  async authenticate(request: IncomingMessage): Promise<Authentication> {
    const header = request.headers.authorization;
    if (header !== undefined) {
      // A token that was shown decides, also beside a certificate: nobody gets more than what he shows is good for.
      const match = /^Bearer +([\x21-\x7e]+) *$/i.exec(header);
      const user = match?.[1] === undefined ? undefined : await this.verifyToken(match[1], []);
      return user === undefined ? { kind: 'refused' } : { kind: 'user', user };
    }
    if (request.socket instanceof TLSSocket) {
      return this.#certificateUser(request.socket);
    }
    return { kind: 'anonymous' };
  }

  /** A connection outlives the handshake: its certificate is held against the clock at each request. */
  #certificateUser(socket: TLSSocket): Authentication {
    let holder = this.#certificates.get(socket);
    if (holder === undefined) {
      holder = holderOf(socket);
      this.#certificates.set(socket, holder);
    }
    return this.#clock.now() > holder.notAfterMs ? { kind: 'refused' } : holder.authentication;
  }

  /** @param audiences empty for the API itself. */
  async verifyToken(token: string, audiences: readonly string[]): Promise<UserInfo | undefined> {
    if (token.length > maxTokenBytes) {
      return undefined;
    }
    const account = this.#tokens.verify(token, audiences);
    if (account !== undefined) {
      return account;
    }
    for (const verifier of this.#verifiers) {
      const user = await verifier(token, audiences);
      if (user !== undefined) {
        return { ...user, groups: withAuthenticated(user.groups) };
      }
    }
    return undefined;
  }
}

interface CertificateHolder {
  readonly authentication: Authentication;
  readonly notAfterMs: number;
}

function holderOf(socket: TLSSocket): CertificateHolder {
  const certificate = socket.getPeerCertificate();
  if (certificate === null || Object.keys(certificate).length === 0) {
    return { authentication: { kind: 'anonymous' }, notAfterMs: Number.POSITIVE_INFINITY };
  }
  const authentication: Authentication = socket.authorized ? certificateUser(certificate) : { kind: 'refused' };
  return { authentication, notAfterMs: Date.parse(certificate.valid_to) };
}

/** CN is the user, each O a group, as Kubernetes reads a client certificate. */
function certificateUser(certificate: PeerCertificate): Authentication {
  const { CN: name, O: organization } = certificate.subject as unknown as Readonly<
    Record<string, string | readonly string[] | undefined>
  >;
  if (typeof name !== 'string' || name === '') {
    return { kind: 'refused' };
  }
  const groups = organization === undefined ? [] : typeof organization === 'string' ? [organization] : organization;
  return { kind: 'user', user: { username: name, groups: withAuthenticated(groups) } };
}

function withAuthenticated(groups: readonly string[]): readonly string[] {
  return groups.includes('system:authenticated') ? groups : [...groups, 'system:authenticated'];
}
