/** `tcp-plain`: one hop of a TCP proxy. `tcp-mtls`: the caller's sidecar, mutual TLS, the service's sidecar. Four connections, 64 KiB writes. */
import type { CaseOutcome, CaseResult } from '../case-result.ts';
import { type Contender, contender } from '../contender.ts';
import { Entries, type Field, mtlsPair, peerPair, plainHop } from '../field.ts';
import { iperfLoad, tcpUnitBytes } from '../native-loads.ts';
import { startHaproxy } from '../peer-proxies.ts';
import { withRatios } from '../ratios.ts';
import { costRounds } from '../rounds.ts';
import { startTcpUpstream } from '../upstreams.ts';

export async function benchTcp(field: Field, name: 'tcp-plain' | 'tcp-mtls'): Promise<CaseOutcome> {
  const { folder, rounds, seconds, say } = field;
  const upstream = await startTcpUpstream();
  const entries = new Entries(name, say);
  const check = ({ port }: Contender): Promise<unknown> => iperfLoad(port, 1);
  try {
    const upstreamPort = upstream.port;
    for (const engine of ['weft', 'envoy'] as const) {
      await entries.add(
        engine,
        () =>
          name === 'tcp-plain'
            ? plainHop(field, engine, 'tcp', upstreamPort)
            : mtlsPair(field, engine, 'bytes', upstreamPort),
        check,
      );
    }
    await entries.add(
      'haproxy',
      async () =>
        name === 'tcp-plain'
          ? contender('haproxy', undefined, [await startHaproxy({ folder, upstreamPort, protocol: 'tcp' })])
          : peerPair(field, 'haproxy', undefined, 'bytes', upstreamPort, (port, tls) =>
              startHaproxy({ folder, upstreamPort: port, protocol: 'tcp', tls }),
            ),
      check,
    );
    const costs = await costRounds(entries.contenders, {
      rounds,
      // iperf3 counts whole seconds.
      seconds: Math.max(1, Math.round(seconds)),
      warmUpWork: 10_000,
      say,
      load: ({ port }, length) => iperfLoad(port, length),
    });
    const results = entries.contenders.flatMap((item): CaseResult[] => {
      const summary = costs.get(item);
      return summary === undefined
        ? []
        : [
            {
              name,
              proxy: item.proxy,
              ...summary,
              bytesPerCpuSecond: Math.round((tcpUnitBytes * 1e6) / summary.cpuUsPerRequest),
            },
          ];
    });
    return {
      results: withRatios(results, (row) => row.bytesPerCpuSecond ?? Number.NaN, 'higher'),
      skipped: entries.skipped,
    };
  } finally {
    await entries.stop();
    await upstream.stop();
  }
}
