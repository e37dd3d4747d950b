import type { Connection, TransportContext } from './connection.ts';

/**
 * Works an event through: what it gathers for connections is written at its end, and what it throws is reported and closes
 * `connection` only.
 */
export function runEvent(context: TransportContext, connection: Connection, work: () => void): void {
  const { flushQueue } = context;
  flushQueue.enter();
  try {
    work();
  } catch (error) {
    connection.fault(error);
  } finally {
    flushQueue.leave();
  }
}
