/**
 * The application of a workload of the mesh tests: the same backend as behind gateways. Environment: `PORT`, `POD_NAME`, `NAMESPACE`.
 */
import { createServer } from 'node:http';
import { httpEcho } from './backends.ts';

const backend = { pod: process.env['POD_NAME'] ?? '', namespace: process.env['NAMESPACE'] ?? '', paths: [] };
const server = createServer(httpEcho(backend));
server.listen(Number(process.env['PORT'] ?? 0), '127.0.0.1');
process.on('SIGTERM', () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
