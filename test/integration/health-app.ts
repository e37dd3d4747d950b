/**
 * A server that says its name, by HTTP, gRPC or TCP, and how it is: well unless the file of its name in `HEALTH_FOLDER` is there.
 * @see endpoint-policy.test.ts
 */
import { existsSync } from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import net from 'node:net';
import { join } from 'node:path';

const { APP_KIND = 'http', APP_NAME = '', HEALTH_FOLDER = '', PORT = '' } = process.env;
const slowMs = 200;

const isWell = (): boolean => !existsSync(join(HEALTH_FOLDER, APP_NAME));
let checks = 0;

const byHttp = http.createServer((request, response) => {
  if (request.url === '/healthz') {
    checks += 1;
    response.writeHead(isWell() ? 200 : 503).end();
  } else if (request.url === '/checks') {
    response.end(String(checks));
  } else {
    setTimeout(() => response.end(APP_NAME), request.url === '/slow' ? slowMs : 0);
  }
});

const byGrpc = http2.createServer();
byGrpc.on('stream', (stream, headers) => {
  stream.resume();
  stream.respond(
    { ':status': 200, 'content-type': 'application/grpc', 'x-instance': APP_NAME },
    { waitForTrailers: true },
  );
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  const isCheck = headers[':path'] === '/grpc.health.v1.Health/Check';
  // `HealthCheckResponse.status`: SERVING is 1, NOT_SERVING 2.
  stream.end(isCheck ? Buffer.from([0, 0, 0, 0, 2, 8, isWell() ? 1 : 2]) : Buffer.from([0, 0, 0, 0, 0]));
});

const byTcp = net.createServer((socket) => {
  socket.on('error', () => {});
  socket.on('data', (bytes) => {
    const [asked = ''] = bytes.toString().split('\r\n');
    socket.write(asked === 'PING' ? (isWell() ? '+PONG\r\n' : '-LOADING\r\n') : `${APP_NAME}\r\n`);
  });
});

const server = { http: byHttp, grpc: byGrpc, tcp: byTcp }[APP_KIND as 'http' | 'grpc' | 'tcp'];
server.listen(Number(PORT), '127.0.0.1');
