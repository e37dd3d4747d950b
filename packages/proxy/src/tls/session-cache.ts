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

  /** TLS 1.3 tickets are for one use (RFC 8446 appendix C.4): what is taken is gone. */
  take(version: string): ResumableSession | undefined {
    return this.#version === version ? this.#sessions.pop() : undefined;
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
