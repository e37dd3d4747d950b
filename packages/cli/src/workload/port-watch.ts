import { connect } from 'node:net';
import type { Clock } from '@weft/base';

const firstPollMs = 20;
const maxPollMs = 500;

/**
 * Resolves to true when something accepts connections, to false when `isOver` says so first.
 * @param at a port of `127.0.0.1`, or the path of a Unix socket.
 */
export async function waitForPort(at: number | string, clock: Clock, isOver: () => boolean): Promise<boolean> {
  let delayMs = firstPollMs;
  while (!isOver()) {
    if (await accepts(at)) {
      return true;
    }
    await new Promise<void>((resolve) => void clock.setTimeout(resolve, delayMs, { unref: true }));
    delayMs = Math.min(maxPollMs, delayMs * 1.3);
  }
  return false;
}

/** Whether something accepts connections there. */
function accepts(at: number | string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({
      ...(typeof at === 'string' ? { path: at } : { port: at, host: '127.0.0.1' }),
      timeout: 1_000,
    });
    const settle = (open: boolean): void => {
      socket.destroy();
      resolve(open);
    };
    socket.on('connect', () => settle(true));
    socket.on('timeout', () => settle(false));
    socket.on('error', () => settle(false));
  });
}
