/**
 * An HTTP/1.1 service for tests of what is easily lost on the way. Environment: `PORT`.
 * `GET /raw-headers` answers with the fields as they were received, and with `X-Mixed-Case`; `POST /trailers` answers with the trailer
 * fields of the request, and has `X-Checksum` as one of its own; an upgrade to `websocket` is accepted and its bytes are sent back until the byte 0x88, which begins a close frame;
 * `GET /events` sends a line at once and ends 300 ms later.
 */
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';

const webSocketGuid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const closeFrame = 0x88;
const eventGapMs = 300;

const server = createServer((request, response) => {
  request.resume();
  request.on('end', () => {
    switch (request.url) {
      case '/raw-headers':
        response.writeHead(200, { 'Content-Type': 'application/json', 'X-Mixed-Case': 'kept' });
        response.end(JSON.stringify(request.rawHeaders));
        return;
      case '/trailers':
        response.writeHead(200, { 'Content-Type': 'application/json', Trailer: 'X-Checksum' });
        response.write(JSON.stringify(request.trailers));
        response.addTrailers({ 'X-Checksum': 'abc123' });
        response.end();
        return;
      case '/events':
        response.writeHead(200, { 'Content-Type': 'text/event-stream' });
        response.write('data: first\n\n');
        setTimeout(() => response.end('data: last\n\n'), eventGapMs);
        return;
      default:
        response.writeHead(200);
        response.end(`HTTP/${request.httpVersion} ${request.method} ${request.url}\n`);
    }
  });
});

server.on('upgrade', (request, socket, head) => {
  const key = String(request.headers['sec-websocket-key']);
  const accept = createHash('sha1').update(`${key}${webSocketGuid}`).digest('base64');
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  socket.write(head);
  socket.on('data', (chunk: Buffer) => {
    socket.write(chunk);
    if (chunk.includes(closeFrame)) {
      socket.end();
    }
  });
  socket.on('end', () => socket.end());
  socket.on('error', () => socket.destroy());
});

server.keepAliveTimeout = 60_000;
server.listen(Number(process.env['PORT'] ?? 0), '127.0.0.1');
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    server.close(() => process.exit(0));
    server.closeAllConnections();
  });
}
