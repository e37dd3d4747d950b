import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
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

  constructor(tokens: ServiceAccountTokens, verifiers: readonly TokenVerifier[]) {
    this.#tokens = tokens;
    this.#verifiers = verifiers;
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
      return certificateUser(request.socket);
    }
    return { kind: 'anonymous' };
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

/** CN is the user, each O a group, as Kubernetes reads a client certificate. */
function certificateUser(socket: TLSSocket): Authentication {
  const certificate = socket.getPeerCertificate();
  if (certificate === null || Object.keys(certificate).length === 0) {
    return { kind: 'anonymous' };
  }
  if (!socket.authorized) {
    return { kind: 'refused' };
  }
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
