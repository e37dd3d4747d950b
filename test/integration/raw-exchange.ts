import { connect, type Socket } from 'node:net';

const timeoutMs = 10_000;

/**
 * Writes `bytes` to a port on loopback and reads until what came satisfies `done`, or the peer ends.
 * @returns all that came, as Latin-1, and how long the first byte took, milliseconds.
 */
export function exchange(
  port: number,
  bytes: string,
  done: (text: string) => boolean,
): Promise<{ readonly text: string; readonly firstByteMs: number; readonly socket: Socket }> {
  return new Promise((resolve, reject) => {
    const begun = performance.now();
    let firstByteMs = Number.POSITIVE_INFINITY;
    let text = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes, 'latin1'));
    const timer = setTimeout(
      () => socket.destroy(new Error(`nothing satisfying came in ${timeoutMs} ms: ${JSON.stringify(text)}`)),
      timeoutMs,
    );
    const finish = (): void => {
      clearTimeout(timer);
      socket.removeAllListeners('data');
      resolve({ text, firstByteMs, socket });
    };
    socket.on('data', (chunk: Buffer) => {
      firstByteMs = Math.min(firstByteMs, performance.now() - begun);
      text += chunk.toString('latin1');
      if (done(text)) {
        finish();
      }
    });
    socket.on('end', finish);
    socket.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
  });
}

/** The same, with the connection closed afterwards. */
export async function exchangeOnce(port: number, bytes: string, done: (text: string) => boolean): Promise<string> {
  const { text, socket } = await exchange(port, bytes, done);
  socket.destroy();
  return text;
}
