import { createServer } from 'node:net';

/** Below the ports that Linux gives to outgoing connections and to listeners on port 0: those of tests that run at the same time. */
const firstPort = 20_000;
const lastPort = 32_000;
const maxTries = 500;
/** Test files run side by side, each in a process of its own: they begin this far apart. */
const portsOfProcess = 97;

let next = firstPort + ((process.pid * portsOfProcess) % (lastPort - firstPort));

/** A port on loopback that nobody listens on right now, and that this process was not given before. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < maxTries; attempt += 1) {
    const port = next;
    next = port + 1 < lastPort ? port + 1 : firstPort;
    if (await isFree(port)) {
      return port;
    }
  }
  throw new Error(`${maxTries} ports up to ${next} are taken`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
