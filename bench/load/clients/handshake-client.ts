/**
 * TLS handshakes one after another on a few connections at a time, each on a connection of its own.
 * `node handshake-client.ts '{"port":…,"certificateFile":…,"keyFile":…,"rootsFile":…,"seconds":3,"resume":false}'` prints {@link HandshakeResult}.
 */
import { readFileSync } from 'node:fs';
import { type ConnectionOptions, connect, createSecureContext } from 'node:tls';

export interface HandshakeOptions {
  readonly port: number;
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly rootsFile: string;
  readonly seconds: number;
  /** Show the session of one full handshake again and again. */
  readonly resume: boolean;
}

export interface HandshakeResult {
  readonly work: number;
  readonly seconds: number;
  /** Connections that failed, and with `resume` those that were not resumed. */
  readonly errors: number;
}

const concurrency = 8;
const ticketTimeoutMs = 3_000;

async function run(options: HandshakeOptions): Promise<HandshakeResult> {
  const context = createSecureContext({
    cert: readFileSync(options.certificateFile),
    key: readFileSync(options.keyFile),
    ca: readFileSync(options.rootsFile),
  });
  const base: ConnectionOptions = {
    host: '127.0.0.1',
    port: options.port,
    secureContext: context,
    servername: 'outbound_.80_._.web.default.svc.cluster.local',
    ALPNProtocols: ['http/1.1'],
    // The names of the mesh are URIs; the chain is verified.
    checkServerIdentity: () => undefined,
  };
  const session = options.resume ? await ticket(base) : undefined;
  const connection: ConnectionOptions = session === undefined ? base : { ...base, session };
  let work = 0;
  let errors = 0;
  const started = performance.now();
  const end = started + options.seconds * 1000;
  const worker = async (): Promise<void> => {
    while (performance.now() < end) {
      if (await handshake(connection, options.resume)) {
        work++;
      } else {
        errors++;
      }
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  return { work, seconds: (performance.now() - started) / 1000, errors };
}

/** One connection: handshake, orderly end. */
function handshake(options: ConnectionOptions, resume: boolean): Promise<boolean> {
  return new Promise((resolve) => {
    let good = false;
    const socket = connect(options, () => {
      good = socket.authorized && (!resume || socket.isSessionReused());
      socket.end();
    });
    socket.on('error', () => {
      // After the handshake it may only say that the other side was quicker to close.
    });
    socket.on('close', () => resolve(good));
    socket.resume();
  });
}

/** @throws Error when the server gives no session. */
function ticket(options: ConnectionOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    // Envoy sends its tickets together with the first answer.
    const socket = connect(options, () => socket.write('GET / HTTP/1.1\r\nhost: bench\r\n\r\n'));
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error('the server gives no session to resume'));
    }, ticketTimeoutMs);
    socket.once('session', (session) => {
      clearTimeout(timer);
      resolve(session);
      socket.end();
    });
    socket.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    socket.resume();
  });
}

if (process.argv[1] === import.meta.filename) {
  try {
    const result = await run(JSON.parse(process.argv[2] ?? '{}') as HandshakeOptions);
    process.stdout.write(`${JSON.stringify(result)}\n`);
    process.exit(0);
  } catch (error) {
    process.stderr.write(`${String(error)}\n`);
    process.exit(1);
  }
}
