/**
 * CPU per request of one plaintext HTTP hop with a hand-made configuration: Weft from its source (no build), Envoy, HAProxy and (HTTP/1.1) nginx, as
 * far as they are installed, round by round in turn. The cases of `npm run bench` measure the built proxy with the configuration of a mesh.
 *
 * `node bench/micro/http-hop.ts [--protocol http1|http2] [--rounds N] [--seconds N] [--connections N] [--streams N] [--only weft] [--cpu-prof]`
 *
 * Connections: 64 for HTTP/1.1, 1 for HTTP/2 with 100 streams each. `--cpu-prof` leaves a profile of ours in the current folder.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { findPeer } from '@weft/testkit';
import { type Contender, contender } from '../load/contender.ts';
import { h2loadLoad, wrkLoad } from '../load/native-loads.ts';
import { startHaproxy, startNginx } from '../load/peer-proxies.ts';
import { printTable } from '../load/report.ts';
import { costRounds, type Load } from '../load/rounds.ts';
import type { Running } from '../load/running.ts';
import { startHttp1Upstream, startHttp2Upstream } from '../load/upstreams.ts';
import { startEnvoyHop, startSourceProxy } from './hop-proxies.ts';

const { values } = parseArgs({
  options: {
    protocol: { type: 'string', default: 'http1' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '4' },
    connections: { type: 'string' },
    streams: { type: 'string', default: '100' },
    only: { type: 'string' },
    'cpu-prof': { type: 'boolean', default: false },
  },
});
if (values.protocol !== 'http1' && values.protocol !== 'http2') {
  process.stderr.write('--protocol is http1 or http2\n');
  process.exit(2);
}
const { protocol } = values;
const connections = Number(values.connections ?? (protocol === 'http2' ? 1 : 64));
const folder = mkdtempSync(join(tmpdir(), 'weft-http-hop-'));
const contenders: Contender[] = [];

async function enter(name: 'weft' | 'envoy' | 'haproxy' | 'nginx', start: () => Promise<Running>): Promise<void> {
  if (values.only !== undefined && values.only !== name) {
    return;
  }
  if (name !== 'weft' && findPeer(name) === undefined) {
    process.stdout.write(`SKIP ${name}: not installed\n`);
    return;
  }
  contenders.push(contender(name, undefined, [await start()]));
}

function load({ port }: Contender, seconds: number): Promise<Load> {
  return protocol === 'http2'
    ? h2loadLoad({ port, path: '/catalog/items?page=2', connections, streams: Number(values.streams), seconds })
    : wrkLoad(port, connections, seconds);
}

try {
  const upstream = await (protocol === 'http2' ? startHttp2Upstream(folder) : startHttp1Upstream(folder));
  const hop = { folder, protocol, upstreamPort: upstream.port } as const;
  await enter('weft', () => startSourceProxy({ ...hop, cpuProfile: values['cpu-prof'] }));
  await enter('envoy', () => startEnvoyHop(hop));
  await enter('haproxy', () => startHaproxy(hop));
  if (protocol === 'http1') {
    await enter('nginx', () => startNginx(hop));
  }
  const costs = await costRounds(contenders, {
    rounds: Number(values.rounds),
    seconds: Number(values.seconds),
    say: (line) => void process.stderr.write(`  ${line}\n`),
    load,
  });
  printTable(
    ['proxy', 'CPU µs/request', 'spread', 'requests/s', 'errors'],
    [...costs].map(([{ proxy }, cost]) => [
      proxy,
      cost.cpuUsPerRequest.toFixed(1),
      cost.cpuUsSpread.map((us) => us.toFixed(1)).join('–'),
      String(Math.round(cost.rps)),
      String(cost.errors),
    ]),
  );
  for (const { stop } of [...contenders, upstream]) {
    await stop();
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
