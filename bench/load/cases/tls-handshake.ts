import type { CaseOutcome, CaseResult, SkippedCase } from '../case-result.ts';
import type { HandshakeOptions, HandshakeResult } from '../clients/handshake-client.ts';
import { runClient } from '../clients/run-client.ts';
import { type Contender, contender } from '../contender.ts';
import { clientTlsFiles, Entries, type Field, inboundSidecar, secretsOf } from '../field.ts';
import { startHaproxy, startNginx } from '../peer-proxies.ts';
import { withRatios } from '../ratios.ts';
import { costRounds } from '../rounds.ts';
import { startHttp1Upstream } from '../upstreams.ts';

export async function benchTlsHandshake(field: Field): Promise<CaseOutcome> {
  const { folder } = field;
  const upstream = await startHttp1Upstream(folder);
  try {
    const full = await handshakes(field, upstream.port, false);
    const resumed = await handshakes(field, upstream.port, true);
    return { results: [...full.results, ...resumed.results], skipped: [...full.skipped, ...resumed.skipped] };
  } finally {
    await upstream.stop();
  }
}

async function handshakes(field: Field, upstreamPort: number, resume: boolean): Promise<CaseOutcome> {
  const { folder, rounds, seconds, say } = field;
  const variant = resume ? 'resumed' : 'full';
  const client = clientTlsFiles(field, 'handshake');
  const load = ({ port }: Contender, length: number): Promise<HandshakeResult> => {
    const options: HandshakeOptions = { ...client, port, seconds: length, resume };
    return runClient<HandshakeResult>('handshake-client.ts', options);
  };
  const check = async (item: Contender): Promise<void> => {
    const { work, errors } = await load(item, 0.3);
    if (work === 0 || errors > 0) {
      throw new Error(resume ? 'sessions are not resumed' : 'the handshake fails');
    }
  };
  const entries = new Entries('tls-handshake', say);
  const tls = { side: 'from', secrets: secretsOf(field, 'web') } as const;
  try {
    for (const engine of ['weft', 'envoy'] as const) {
      await entries.add(engine, () => inboundSidecar(field, engine, upstreamPort, 'handshake', variant), check);
    }
    await entries.add(
      'nginx',
      async () => contender('nginx', variant, [await startNginx({ folder, upstreamPort, protocol: 'http1', tls })]),
      check,
    );
    await entries.add(
      'haproxy',
      async () => contender('haproxy', variant, [await startHaproxy({ folder, upstreamPort, protocol: 'http1', tls })]),
      check,
    );
    const costs = await costRounds(entries.contenders, { rounds, seconds, warmUpWork: 500, say, load });
    const results = entries.contenders.flatMap((item): CaseResult[] => {
      const summary = costs.get(item);
      return summary === undefined
        ? []
        : [
            {
              name: 'tls-handshake',
              proxy: item.proxy,
              variant,
              ...summary,
              handshakesPerCpuSecond: 1e6 / summary.cpuUsPerRequest,
            },
          ];
    });
    return {
      results: withRatios(results, (row) => row.handshakesPerCpuSecond ?? Number.NaN, 'higher'),
      skipped: entries.skipped.map((item): SkippedCase => ({ ...item, reason: `${variant}: ${item.reason}` })),
    };
  } finally {
    await entries.stop();
  }
}
