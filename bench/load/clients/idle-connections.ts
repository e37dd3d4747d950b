/**
 * Opens connections, sends one request on each, and holds them idle until standard input ends.
 * `node idle-connections.ts '{"port":…,"count":5000,"tls":{…}}'` prints one line of JSON when all are open.
 */
import { readFileSync } from 'node:fs';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext } from 'node:tls';

export interface IdleConnectionsOptions {
  readonly port: number;
  readonly count: number;
  /** Mutual TLS with these files. */
  readonly tls?: { readonly certificateFile: string; readonly keyFile: string; readonly rootsFile: string };
}

const openingAtOnce = 32;
const request = 'GET / HTTP/1.1\r\nhost: bench\r\n\r\n';

const options = JSON.parse(process.argv[2] ?? '{}') as IdleConnectionsOptions;
const context =
  options.tls === undefined
    ? undefined
    : createSecureContext({
        cert: readFileSync(options.tls.certificateFile),
        key: readFileSync(options.tls.keyFile),
        ca: readFileSync(options.tls.rootsFile),
      });
const sockets: Socket[] = [];

function open(): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket =
      context === undefined
        ? connectTcp(options.port, '127.0.0.1')
        : connectTls({
            host: '127.0.0.1',
            port: options.port,
            secureContext: context,
            ALPNProtocols: ['http/1.1'],
            checkServerIdentity: () => undefined,
          });
    sockets.push(socket);
    socket.once(context === undefined ? 'connect' : 'secureConnect', () => socket.write(request));
    socket.once('data', () => resolve());
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('a connection was closed')));
  });
}

let left = options.count;
async function worker(): Promise<void> {
  while (left > 0) {
    left--;
    await open();
  }
}
await Promise.all(Array.from({ length: openingAtOnce }, worker));
process.stdout.write(`${JSON.stringify({ open: sockets.length })}\n`);
process.stdin.resume();
process.stdin.once('end', () => process.exit(0));
