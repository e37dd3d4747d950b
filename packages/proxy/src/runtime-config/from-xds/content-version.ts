import { createHash } from 'node:crypto';

/** Names the content of a resource: equal bytes, equal version, whatever the server calls it. */
export function contentVersion(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64url').slice(0, 22);
}
