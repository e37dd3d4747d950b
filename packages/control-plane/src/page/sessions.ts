import { createHash, randomBytes } from 'node:crypto';
import type { Clock } from '@weft/base';
import { Redacted } from '@weft/identity';

/** How long a session lasts, milliseconds. */
export const sessionTtlMs = 12 * 3_600_000;
/** How long a login link is good, milliseconds. */
const linkTtlMs = 24 * 3_600_000;
/** Most sessions and most links; the oldest makes room. */
export const maxSessions = 100;

/** Logins by link: a token that is good for one login, for a session whose secret lives in a cookie. Only hashes are kept. */
export class PageSessions {
  readonly #clock: Clock;
  readonly #links = new Map<string, number>();
  readonly #sessions = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A new token for a link. */
  createLink(): Redacted<string> {
    return this.#create(this.#links, linkTtlMs);
  }

  /** Uses up a link's token. @returns the secret of a new session; undefined when the token is not (or no longer) good. */
  login(token: string): Redacted<string> | undefined {
    const key = hash(token);
    const expiresAt = this.#links.get(key);
    this.#links.delete(key);
    if (expiresAt === undefined || this.#clock.now() >= expiresAt) {
      return undefined;
    }
    return this.#create(this.#sessions, sessionTtlMs);
  }

  isValid(secret: string): boolean {
    const key = hash(secret);
    const expiresAt = this.#sessions.get(key);
    if (expiresAt !== undefined && this.#clock.now() >= expiresAt) {
      this.#sessions.delete(key);
      return false;
    }
    return expiresAt !== undefined;
  }

  logout(secret: string): void {
    this.#sessions.delete(hash(secret));
  }

  #create(table: Map<string, number>, ttlMs: number): Redacted<string> {
    const secret = randomBytes(32).toString('base64url');
    if (table.size >= maxSessions) {
      const [oldest] = table.keys();
      table.delete(oldest ?? '');
    }
    table.set(hash(secret), this.#clock.now() + ttlMs);
    return new Redacted(secret);
  }
}

/** Looked up by hash: the time of a look-up says nothing about the secret. */
function hash(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}
