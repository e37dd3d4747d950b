import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { eventually, freePort } from '@weft/testkit';
import type { GcRecord } from './clients/gc-observer.ts';
import { type Field, secretsOf } from './field.ts';
import { targets } from './mesh-resources.ts';
import { wrkLoad } from './native-loads.ts';
import { quietly } from './quiet.ts';
import { outboundConfig } from './sidecar-config.ts';
import { startSidecar } from './start-sidecar.ts';
import { quantile } from './statistics.ts';
import { startHttp1Upstream } from './upstreams.ts';

/** What our proxy allocates in V8's heap and how long it stands still for collections, under the load of `http1-plain`. */
export interface GarbageResult {
  readonly requests: number;
  readonly bytesPerRequest: number;
  readonly scavenges: number;
  readonly majors: number;
  readonly pauseP50Ms: number;
  readonly pauseP99Ms: number;
  readonly pauseMaxMs: number;
  /** Part of the time spent in collections that stop the proxy, 0 to 1. */
  readonly share: number;
}

export async function benchGarbage(field: Field): Promise<GarbageResult> {
  const { folder, connections, seconds } = field;
  const upstream = await startHttp1Upstream(folder);
  try {
    const port = await freePort();
    const file = join(folder, 'gc.json');
    rmSync(file, { force: true });
    const config = outboundConfig(field.resources.weft.client, targets.http, {
      listenPort: port,
      endpointPort: upstream.port,
      accessLog: `${folder}/gc-access.log`,
      secrets: secretsOf(field, 'client'),
    });
    const proxy = await startSidecar('weft', config, {
      folder,
      port,
      nodeFlags: ['--import', join(import.meta.dirname, 'clients/gc-observer.ts')],
      env: { WEFT_BENCH_GC_FILE: file },
    });
    try {
      await wrkLoad(port, connections, 3);
      process.kill(proxy.pid, 'SIGUSR2');
      const { work: requests } = await quietly(() => wrkLoad(port, connections, seconds));
      process.kill(proxy.pid, 'SIGUSR2');
      await eventually(() => existsSync(file), { what: 'the record of collections is written' });
      const record = JSON.parse(readFileSync(file, 'utf8')) as GcRecord;
      const pauses = [...record.scavengesMs, ...record.majorsMs];
      return {
        requests,
        bytesPerRequest: record.allocatedBytes / requests,
        scavenges: record.scavengesMs.length,
        majors: record.majorsMs.length,
        pauseP50Ms: quantile(pauses, 0.5) ?? 0,
        pauseP99Ms: quantile(pauses, 0.99) ?? 0,
        pauseMaxMs: Math.max(0, ...pauses),
        share: pauses.reduce((sum, pause) => sum + pause, 0) / record.spanMs,
      };
    } finally {
      await proxy.stop();
    }
  } finally {
    await upstream.stop();
  }
}
