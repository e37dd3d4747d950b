import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** Below the ports that Linux gives to outgoing connections and to listeners on port 0: those of tests that run at the same time. */
const firstPort = 20_000;
const lastPort = 32_000;
const maxTries = 50;

/** A port on loopback that nobody listens on right now. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < maxTries; attempt += 1) {
    const port = randomInt(firstPort, lastPort);
    if (await isFree(port)) {
      return port;
    }
  }
  throw new Error(`${maxTries} ports from ${firstPort} to ${lastPort} are taken`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
