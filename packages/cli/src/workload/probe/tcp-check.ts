import { connect, type NetConnectOpts } from 'node:net';

/** Whether something accepts connections there. Never rejects. @param to where, and for how long to try (`timeout`) or until when (`signal`). */
export function acceptsConnections(to: NetConnectOpts): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(to);
    const settle = (open: boolean): void => {
      socket.destroy();
      resolve(open);
    };
    socket.on('connect', () => settle(true));
    socket.on('timeout', () => settle(false));
    socket.on('error', () => settle(false));
  });
}
