/**
 * A service for tests: answers every request with what it saw, as JSON. Environment: `PORT`, `NAME`, `VERSION`.
 * `/status/<code>` answers with that status; `/delay/<ms>` waits first; `?body=<text>` is echoed, request bodies are counted.
 */
import { createServer } from 'node:http';

const name = process.env['NAME'] ?? 'echo';
const version = process.env['VERSION'] ?? '';

const server = createServer((request, response) => {
  let bodyBytes = 0;
  request.on('data', (chunk: Buffer) => {
    bodyBytes += chunk.length;
  });
  request.on('end', () => {
    const status = Number(/^\/status\/(\d{3})/.exec(request.url ?? '')?.[1] ?? 200);
    const delayMs = Number(/^\/delay\/(\d+)/.exec(request.url ?? '')?.[1] ?? 0);
    setTimeout(() => {
      const { method, url, headers } = request;
      response.writeHead(status, { 'content-type': 'application/json', 'x-served-by': `${name}-${version}` });
      response.end(`${JSON.stringify({ name, version, method, url, headers, bodyBytes })}\n`);
    }, delayMs);
  });
});
server.keepAliveTimeout = 60_000;
server.listen(Number(process.env['PORT'] ?? 0), '127.0.0.1');
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    server.close(() => process.exit(0));
    server.closeIdleConnections();
  });
}
