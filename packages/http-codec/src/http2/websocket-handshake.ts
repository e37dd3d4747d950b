import { createHash } from 'node:crypto';
import type { HeadFields } from '../head-fields.ts';
import type { RequestHead } from '../request-head.ts';

/**
 * WebSocket over HTTP/2 has no key and no accept (RFC 8441 §5), over HTTP/1.1 it needs both (RFC 6455 §4). Whoever translates makes
 * what the other side expects.
 */

const keyName = 'sec-websocket-key';
const acceptName = 'sec-websocket-accept';
/** RFC 6455 §1.3. */
const acceptSuffix = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

let made = 0;

export function isWebSocket(upgrade: string): boolean {
  return upgrade === 'websocket';
}

/**
 * Adds a key where none came. It has to differ from request to request so that no cache can replay an answer; nothing relies
 * on it being secret.
 */
export function addWebSocketKey(head: RequestHead): void {
  if (!head.has(keyName)) {
    made += 1;
    const digest = createHash('sha1').update(head.bytes.subarray(0, head.size)).update(String(made)).digest();
    head.addClean(keyName, digest.toString('base64', 0, 16));
  }
}

/** The key of a request that goes out by HTTP/2, where the answer will not confirm it. */
export function webSocketKeyOf(head: RequestHead): string | undefined {
  return head.get(keyName);
}

/** Confirms the key, in an answer that came by HTTP/2. */
export function addWebSocketAccept(head: HeadFields, key: string): void {
  if (!head.has(acceptName)) {
    head.addClean(
      acceptName,
      createHash('sha1')
        .update(key.trim() + acceptSuffix)
        .digest('base64'),
    );
  }
}
