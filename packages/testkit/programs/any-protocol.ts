/**
 * Listens on `PORT` and speaks what `SPEAKS` says: `http` (HTTP/1.1), `h2c` (HTTP/2 with prior knowledge), `echo` (every byte comes
 * back), or `greeting` (a line as soon as somebody connects, then as `echo`).
 */
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import { createServer, type Socket } from 'node:net';

function serveBytes(greeting: string): ReturnType<typeof createServer> {
  return createServer((socket: Socket) => {
    socket.write(greeting);
    socket.pipe(socket);
    socket.on('error', () => socket.destroy());
  });
}

function serverOf(speaks: string): ReturnType<typeof createServer> {
  switch (speaks) {
    case 'http':
      return createHttpServer((request, response) => response.end(`HTTP/${request.httpVersion}`));
    case 'h2c':
      return createHttp2Server((request, response) => response.end(`HTTP/${request.httpVersion}`));
    case 'greeting':
      return serveBytes('hello\n');
    default:
      return serveBytes('');
  }
}

const server = serverOf(process.env['SPEAKS'] ?? 'echo');
server.listen(Number(process.env['PORT'] ?? 0), '127.0.0.1');
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => process.exit(0));
}
