/** A server in a process of its own, for tests that kill it. Usage: `node server-process.ts FOLDER`; prints its port. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { kinds } from '@weft/resources';
import { createApiServer, openSqliteStorage } from '../../src/index.ts';

const [folder = '.'] = process.argv.slice(2);
const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
const server = await createApiServer({
  kinds,
  storage: openSqliteStorage({ path: join(folder, 'weft.db') }),
  tls: { cert: read('tls.crt'), key: read('tls.key') },
  tokenVerifiers: [(token) => (token === 'test' ? { username: 'test', groups: ['system:masters'] } : undefined)],
});
process.stdout.write(`${await server.listen()}\n`);
