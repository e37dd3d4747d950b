import { findPeer, startMesh } from '@weft/testkit';
import { processCost } from './process-cost.ts';
import { sidecarPid } from './sidecar-process.ts';

/** Resident memory of one process at rest, MB (2^20 bytes). */
export interface MemoryRow {
  readonly process: string;
  readonly rssMb: number;
}

/** RSS of the control plane and of a sidecar of each engine, 20 s after they came up and without traffic. */
export async function benchIdleMemory(options: {
  readonly say: (line: string) => void;
}): Promise<readonly MemoryRow[]> {
  const mesh = await startMesh();
  try {
    const rows: { process: string; pid: number }[] = [{ process: 'control plane', pid: mesh.facts().processId }];
    for (const engine of ['weft', 'envoy'] as const) {
      const envoy = findPeer('envoy');
      if (engine === 'envoy' && envoy === undefined) {
        options.say('SKIP envoy: peer missing');
        continue;
      }
      const workload = await mesh.runWorkload(
        ['--name', `idle-${engine}`, '--engine', engine, '--', 'sleep', '100000'],
        {
          env: envoy === undefined ? {} : { WEFT_ENVOY: envoy },
        },
      );
      rows.push({ process: `sidecar ${engine}`, pid: sidecarPid(workload.process.pid, engine) });
    }
    options.say('waiting 20 s at rest');
    await new Promise((resolve) => setTimeout(resolve, 20_000));
    return rows.map(({ process, pid }) => ({ process, rssMb: processCost(pid).rssBytes / 2 ** 20 }));
  } finally {
    await mesh.stop();
  }
}
