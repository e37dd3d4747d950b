import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { Redacted } from '../redacted.ts';

/** Makes the token recognisable for scanners that look for leaked secrets. */
const prefix = 'weft-join-';
const form = /^weft-join-[A-Za-z0-9_-]{43}$/;

/** A secret of 256 random bits that lets one workload get its first certificate. */
export type JoinToken = Redacted<string>;

/** A new token; whoever it is made for must be told the text once, it is kept nowhere. */
export function createJoinToken(): JoinToken {
  return new Redacted(`${prefix}${randomBytes(32).toString('base64url')}`);
}

/** The token when `text` has the form of one, else undefined. */
export function parseJoinToken(text: string): JoinToken | undefined {
  return form.test(text) ? new Redacted(text) : undefined;
}

/** SHA-256, hexadecimal: what is stored instead of the token. With 256 random bits a salt adds nothing. */
export function hashJoinToken(token: JoinToken): string {
  return createHash('sha256').update(token.reveal()).digest('hex');
}

/** Compares two hashes in constant time. */
export function sameHash(a: string, b: string): boolean {
  const left = Buffer.from(a, 'utf8');
  const right = Buffer.from(b, 'utf8');
  return left.length === right.length && timingSafeEqual(left, right);
}
