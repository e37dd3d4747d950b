/**
 * CPU per proxied request, plaintext HTTP/1.1 with keep-alive, one hop: load → proxy → upstream. Weft's proxy and Envoy run as sidecars of one mesh,
 * configured by the same control plane (a declared upstream that is a plaintext ServiceEntry); nginx and HAProxy are bare proxies.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually, findPeer, freePort, startMesh } from '@weft/testkit';
import { type Running, startHaproxy, startNginx, startUpstream } from './peer-proxies.ts';
import { processCost } from './process-cost.ts';
import { pinToCore, sidecarPid } from './sidecar-process.ts';
import { median } from './statistics.ts';
import { runWrk } from './wrk.ts';

/** One proxy in one benchmark; medians over the rounds. */
export interface CaseResult {
  readonly name: string;
  readonly proxy: string;
  readonly cpuUsPerRequest: number;
  /** Smallest and largest of the rounds. */
  readonly cpuUsSpread: readonly [number, number];
  readonly rps: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly rssMb: number;
  readonly errors: number;
  readonly ratioToEnvoy: number | undefined;
}

interface Contender {
  readonly proxy: string;
  readonly pid: number;
  readonly url: string;
}

const proxyCore = 0;
const loadCore = 1;

/** @param options.seconds length of one measurement; @param options.rounds how often each proxy is measured, in turn. */
export async function benchHttp1Plain(options: {
  readonly seconds: number;
  readonly rounds: number;
  readonly connections: number;
  readonly folder: string;
  readonly say: (line: string) => void;
}): Promise<readonly CaseResult[]> {
  const { folder, say } = options;
  const stops: (() => Promise<void>)[] = [];
  try {
    const upstreamPort = await freePort();
    const upstream = await startUpstream(folder, upstreamPort, loadCore);
    stops.push(() => upstream.stop());
    const contenders: Contender[] = [];

    const mesh = await startMesh();
    stops.push(() => mesh.stop());
    const manifest = join(folder, 'target.yaml');
    writeFileSync(manifest, serviceEntry(upstreamPort));
    const applied = await mesh.weft(['apply', '-f', manifest]);
    if (applied.code !== 0) {
      throw new Error(`the target cannot be applied: ${applied.stderr}`);
    }
    for (const engine of ['weft', 'envoy'] as const) {
      const localPort = await freePort();
      const envoy = findPeer('envoy');
      if (engine === 'envoy' && envoy === undefined) {
        say('SKIP envoy: peer missing');
        continue;
      }
      const workload = await mesh.runWorkload(
        [
          '--name',
          `bench-${engine}`,
          '--engine',
          engine,
          '--upstream',
          `target.bench:80=${localPort}`,
          '--',
          'sleep',
          '100000',
        ],
        { env: { ...(envoy === undefined ? {} : { WEFT_ENVOY: envoy }) } },
      );
      const url = `http://127.0.0.1:${localPort}`;
      await eventually(async () => (await fetch(url)).status === 200, { what: `${engine} forwards to the target` });
      const pid = sidecarPid(workload.process.pid, engine);
      pinToCore(pid, proxyCore);
      contenders.push({ proxy: engine, pid, url });
    }
    const bare: readonly (readonly [string, (port: number) => Promise<Running>])[] = [
      ['nginx', (port) => startNginx(folder, port, upstreamPort, proxyCore)],
      ['haproxy', (port) => startHaproxy(folder, port, upstreamPort, proxyCore)],
    ];
    for (const [proxy, start] of bare) {
      if (findPeer(proxy as 'nginx' | 'haproxy') === undefined) {
        say(`SKIP ${proxy}: peer missing`);
        continue;
      }
      const running = await start(await freePort());
      stops.push(() => running.stop());
      contenders.push({ proxy, pid: running.pid, url: running.url });
    }

    const rounds = new Map<
      string,
      { cpuUs: number; rps: number; p50Ms: number; p99Ms: number; rssMb: number; errors: number }[]
    >();
    for (let round = 0; round <= options.rounds; round++) {
      for (const { proxy, pid, url } of contenders) {
        const before = processCost(pid);
        const load = await runWrk({
          url,
          connections: options.connections,
          seconds: round === 0 ? 2 : options.seconds,
          core: loadCore,
        });
        const after = processCost(pid);
        if (round === 0) {
          continue; // Warm-up: compilers and pools.
        }
        const row = {
          cpuUs: ((after.cpuSeconds - before.cpuSeconds) * 1e6) / load.requests,
          rps: load.requests / load.seconds,
          p50Ms: load.p50Ms,
          p99Ms: load.p99Ms,
          rssMb: after.rssBytes / 2 ** 20,
          errors: load.errors,
        };
        rounds.set(proxy, [...(rounds.get(proxy) ?? []), row]);
        say(`round ${round} ${proxy}: ${row.cpuUs.toFixed(1)} µs/request, ${Math.round(row.rps)} requests/s`);
      }
    }
    const envoyCpu = median(rounds.get('envoy')?.map((row) => row.cpuUs) ?? []);
    return contenders.map(({ proxy }) => {
      const rows = rounds.get(proxy) ?? [];
      const middle = (pick: (row: (typeof rows)[number]) => number): number => median(rows.map(pick)) ?? Number.NaN;
      const cpu = rows.map((row) => row.cpuUs);
      return {
        name: 'http1-plain',
        proxy,
        cpuUsPerRequest: middle((row) => row.cpuUs),
        cpuUsSpread: [Math.min(...cpu), Math.max(...cpu)],
        rps: middle((row) => row.rps),
        p50Ms: middle((row) => row.p50Ms),
        p99Ms: middle((row) => row.p99Ms),
        rssMb: middle((row) => row.rssMb),
        errors: rows.reduce((sum, row) => sum + row.errors, 0),
        ratioToEnvoy: envoyCpu === undefined ? undefined : middle((row) => row.cpuUs) / envoyCpu,
      };
    });
  } finally {
    for (const stop of stops.reverse()) {
      await stop();
    }
  }
}

function serviceEntry(port: number): string {
  return `apiVersion: v1
kind: Namespace
metadata: { name: bench }
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: target, namespace: bench }
spec:
  hosts: [target.bench]
  location: MESH_EXTERNAL
  resolution: STATIC
  ports: [{ number: 80, name: http, protocol: HTTP, targetPort: ${port} }]
  endpoints: [{ address: 127.0.0.1 }]
`;
}
