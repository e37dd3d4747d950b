import type { PeerCertificate } from './peer-cache.ts';

/** Sessions kept for one endpoint: a server hands out two with each handshake. */
export const maxSessions = 4;

/** A session, and who was at the other end when it was made. */
export interface ResumableSession {
  readonly session: Buffer;
  readonly peer: PeerCertificate | undefined;
}

/**
 * Sessions for resumption, all bound to the secrets that they were made under. One cache for each endpoint's pool. The peer sends no
 * certificate when a session is resumed: the one that was verified then is kept with the session.
 */
export class SessionCache {
  #version = '';
  /** The newest at the end. */
  readonly #sessions: ResumableSession[] = [];

  /**
   * A session is given out once (RFC 8446 appendix C.4), but for the last one: a server on OpenSSL gives a new one in full handshakes only. What
   * the advice is for, that an onlooker cannot tell two connections to be of one client, does not hold between proxies with fixed addresses.
   */
  take(version: string): ResumableSession | undefined {
    if (this.#version !== version) {
      return undefined;
    }
    return this.#sessions.length > 1 ? this.#sessions.pop() : this.#sessions[0];
  }

  put(version: string, resumable: ResumableSession): void {
    if (this.#version !== version) {
      this.#version = version;
      this.#sessions.length = 0;
    }
    if (this.#sessions.length >= maxSessions) {
      this.#sessions.shift();
    }
    this.#sessions.push(resumable);
  }
}
