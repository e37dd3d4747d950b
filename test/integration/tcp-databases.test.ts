import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  eventually,
  type Finished,
  findPeer,
  peerSkip,
  run,
  startMesh,
  type TestMesh,
  type TestWorkload,
} from '@weft/testkit';

/** Real Redis and PostgreSQL traffic: client, sidecar, mutual TLS, sidecar, server. */

const redisMissing = peerSkip('redis-server', 'redis-cli', 'redis-benchmark');
const postgresMissing = peerSkip('postgres', 'initdb', 'psql', 'pgbench');

let mesh: TestMesh;

before(async () => {
  mesh = await startMesh();
});

after(async () => {
  await mesh?.stop();
});

/** Runs a shell script as a workload that calls `upstream`; `$HOST` and `$PORT` lead there through its sidecar. */
async function asClientOf(upstream: string, script: string): Promise<Finished> {
  const variable = `WEFT_UPSTREAM_${upstream.toUpperCase()}`;
  const finished = await mesh.weft(
    [
      ...['run', '-q', '--name', `${upstream}-client`, '--upstream', upstream, '--', 'sh', '-ec'],
      `HOST="\${${variable}%:*}"; PORT="\${${variable}##*:}"; ${script}`,
    ],
    { timeoutMs: 120_000 },
  );
  assert.equal(finished.code, 0, `${finished.stdout}\n${finished.stderr}`);
  return finished;
}

/** That the server's sidecar saw the client's identity is what its metrics say. */
async function assertMutualTls(server: TestWorkload, client: string): Promise<void> {
  const metrics = await (await fetch(`http://127.0.0.1:${server.adminPort}/metrics`)).text();
  const opened = metrics
    .split('\n')
    .filter((line) => line.startsWith('istio_tcp_connections_opened_total{reporter="destination"'));
  assert.ok(opened.length > 0, metrics);
  for (const line of opened) {
    assert.match(line, /connection_security_policy="mutual_tls"/);
    assert.match(line, new RegExp(`source_principal="spiffe://cluster\\.local/ns/default/sa/${client}"`));
  }
}

describe('Redis', { skip: redisMissing }, () => {
  let server: TestWorkload;

  before(async () => {
    const command = 'exec redis-server --port "$PORT" --bind 127.0.0.1 --save "" --appendonly no --loglevel warning';
    server = await mesh.runWorkload([
      '--service',
      'redis',
      '--protocol',
      'tcp',
      '--port',
      '6379:0',
      '--',
      'sh',
      '-c',
      command,
    ]);
    await eventually(
      async () => {
        const { stdout } = await run(findPeer('redis-cli') ?? '', ['-p', String(server.appPort), 'ping']);
        return stdout.includes('PONG');
      },
      { what: 'Redis answers' },
    );
  });

  test('commands, a large value, a stream of changes', async () => {
    const { stdout } = await asClientOf(
      'redis',
      `cli() { redis-cli -h "$HOST" -p "$PORT" "$@"; }
       until cli ping; do sleep 0.1; done
       cli set greeting hello
       cli get greeting
       head -c 5000000 /dev/zero | tr '\\0' x | cli -x set large
       cli strlen large
       cli get large | wc -c
       (sleep 1; cli publish news today) &
       timeout 10 redis-cli -h "$HOST" -p "$PORT" subscribe news | head -6`,
    );
    assert.match(stdout, /PONG\nOK\nhello\nOK\n5000000\n5000001\n/);
    assert.match(stdout, /message\nnews\ntoday/);
    await assertMutualTls(server, 'redis-client');
  });

  test('redis-benchmark, plain and pipelined', async () => {
    const { stdout } = await asClientOf(
      'redis',
      `until redis-cli -h "$HOST" -p "$PORT" ping; do sleep 0.1; done
       redis-benchmark -h "$HOST" -p "$PORT" -t set,get -n 20000 -c 20 -q
       redis-benchmark -h "$HOST" -p "$PORT" -t set,get -n 100000 -c 20 -P 32 -d 512 -q`,
    );
    assert.equal(stdout.match(/requests per second/g)?.length, 4, stdout);
    process.stdout.write(`${stdout.replaceAll('\r', '\n')}\n`);
  });
});

/** PostgreSQL does not run as root: as the user that its package made. */
const asPostgres = process.getuid?.() === 0 ? ['runuser', '-u', 'postgres', '--'] : [];

describe('PostgreSQL', { skip: postgresMissing }, () => {
  let server: TestWorkload | undefined;
  let folder = '';

  async function command(...args: readonly string[]): Promise<string> {
    const [file = '', ...rest] = [...asPostgres, ...args];
    const finished = await run(file, rest);
    assert.equal(finished.code, 0, finished.stderr);
    return finished.stdout.trim();
  }

  before(async () => {
    folder = await command('mktemp', '-d', '/tmp/weft-postgres-XXXXXX');
    await command(findPeer('initdb') ?? '', '-D', folder, '-U', 'weft', '--auth=trust', '--no-sync');
    const start = `exec ${findPeer('postgres')} -D ${folder} -p "$PORT" -k ${folder} -c listen_addresses=127.0.0.1 -c fsync=off`;
    server = await mesh.runWorkload([
      ...['--service', 'db', '--protocol', 'tcp', '--port', '5432:0', '--'],
      ...[...asPostgres, 'sh', '-c', start],
    ]);
  });

  after(async () => {
    await server?.process.stop();
    if (folder !== '') {
      await command('rm', '-rf', folder);
    }
  });

  const connect =
    'export PGHOST="$HOST" PGPORT="$PORT" PGUSER=weft PGDATABASE=postgres; until psql -c "select 1"; do sleep 0.1; done;';

  test('queries, a large result, COPY both ways, an error, a notification', async () => {
    const { stdout } = await asClientOf(
      'db',
      `${connect}
       q() { psql -XAtq -c "$1"; }
       q "create table t (id int, text text)"
       seq 1 200000 | awk '{print $1 "\\trow " $1}' | psql -XAtq -c "copy t from stdin"
       q "select count(*), sum(id) from t"
       q "copy t to stdout" | sha256sum
       seq 1 200000 | awk '{print $1 "\\trow " $1}' | sha256sum
       q "select length(repeat('x', 10000000))"
       q "select repeat('x', 10000000)" | wc -c
       q "select 1/0" 2>&1 || true
       q "listen news; notify news, 'today'; select 1"`,
    );
    assert.match(stdout, /200000\|20000100000/);
    const sums = stdout.match(/^[0-9a-f]{64}/gm) ?? [];
    assert.equal(sums.length, 2);
    assert.equal(sums[0], sums[1]);
    assert.match(stdout, /\n10000000\n10000001\n/);
    assert.match(stdout, /division by zero/);
    assert.match(stdout, /"today"/);
    assert.ok(server !== undefined);
    await assertMutualTls(server, 'db-client');
  });

  test('pgbench with eight clients', async () => {
    const { stdout } = await asClientOf(
      'db',
      `${connect} pgbench -i -q -s 1 2>&1 | tail -1; pgbench -c 8 -j 1 -t 100; pgbench -S -M prepared -c 8 -j 1 -t 500`,
    );
    assert.match(stdout, /number of transactions actually processed: 800\/800/);
    assert.match(stdout, /number of transactions actually processed: 4000\/4000/);
    process.stdout.write(`${stdout.match(/^(latency average|tps).*$/gm)?.join('\n')}\n`);
  });
});
