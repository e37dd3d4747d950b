import { createServer } from 'node:net';
import process from 'node:process';
import { stopOnSignal } from './web.ts';

/**
 * A cache with a line protocol over TCP:
 *
 *     SET <key> <seconds> <value without newline>   →  OK
 *     GET <key>                                     →  VALUE <value>  |  NONE
 *     STATS                                         →  STATS <entries> <hits> <misses>
 */
const maxEntries = 1_000;
const maxLineBytes = 64 * 1024;
const entries = new Map<string, { readonly value: string; readonly until: number }>();
let hits = 0;
let misses = 0;

function answer(line: string): string {
  const [verb, key, seconds, ...rest] = line.split(' ');
  if (verb === 'GET' && key !== undefined) {
    const entry = entries.get(key);
    if (entry === undefined || entry.until < Date.now()) {
      entries.delete(key);
      misses += 1;
      return 'NONE';
    }
    hits += 1;
    return `VALUE ${entry.value}`;
  }
  if (verb === 'SET' && key !== undefined && Number(seconds) > 0) {
    const oldest = entries.keys().next();
    if (entries.size >= maxEntries && !entries.has(key) && oldest.done !== true) {
      entries.delete(oldest.value);
    }
    entries.set(key, { value: rest.join(' '), until: Date.now() + Number(seconds) * 1000 });
    return 'OK';
  }
  return verb === 'STATS' ? `STATS ${entries.size} ${hits} ${misses}` : 'ERROR unknown command';
}

const server = createServer((socket) => {
  let pending = '';
  socket.setEncoding('utf8');
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: string) => {
    pending += chunk;
    let end = pending.indexOf('\n');
    while (end >= 0) {
      socket.write(`${answer(pending.slice(0, end).trimEnd())}\n`);
      pending = pending.slice(end + 1);
      end = pending.indexOf('\n');
    }
    if (pending.length > maxLineBytes) {
      socket.end('ERROR line too long\n');
    }
  });
  sockets.add(socket);
  socket.on('close', () => sockets.delete(socket));
});
const sockets = new Set<import('node:net').Socket>();

server.listen(Number(process.env['PORT'] ?? 0), '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(
    `cache listens on port ${typeof address === 'object' ? address?.port : address} (process ${process.pid})\n`,
  );
});
stopOnSignal(() => {
  server.close(() => process.exit(0));
  for (const socket of sockets) {
    socket.end();
  }
});
