import type { Clock } from '@weft/base';
import { acceptsConnections } from './probe/tcp-check.ts';

const firstPollMs = 20;
const maxPollMs = 500;
const timeout = 1_000;

/**
 * Resolves to true when something accepts connections, to false when `isOver` says so first.
 * @param at a port of `127.0.0.1`, or the path of a Unix socket.
 */
export async function waitForPort(at: number | string, clock: Clock, isOver: () => boolean): Promise<boolean> {
  const to = typeof at === 'string' ? { path: at, timeout } : { port: at, host: '127.0.0.1', timeout };
  let delayMs = firstPollMs;
  while (!isOver()) {
    if (await acceptsConnections(to)) {
      return true;
    }
    await new Promise<void>((resolve) => void clock.setTimeout(resolve, delayMs, { unref: true }));
    delayMs = Math.min(maxPollMs, delayMs * 1.3);
  }
  return false;
}
