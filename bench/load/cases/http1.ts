/** `http1-plain`: one hop. `http1-mtls-pair`: client, its sidecar, mutual TLS, the service's sidecar, server. */
import type { CaseOutcome, CaseResult } from '../case-result.ts';
import { connectHttp1 } from '../clients/one-request.ts';
import { type Contender, contender } from '../contender.ts';
import { Entries, type Field, mtlsPair, peerPair, plainHop } from '../field.ts';
import { latencyRounds, pacedFields } from '../latency.ts';
import { wrkLoad } from '../native-loads.ts';
import { startHaproxy, startNginx } from '../peer-proxies.ts';
import { withRatios } from '../ratios.ts';
import { costRounds } from '../rounds.ts';
import { startHttp1Upstream } from '../upstreams.ts';

/** The fixed rate of latency measurements, requests a second. */
export const latencyRate = 1_000;
const latencySeconds = 3;

export async function benchHttp1Plain(field: Field): Promise<CaseOutcome> {
  const { folder } = field;
  const upstream = await startHttp1Upstream(folder);
  const entries = new Entries('http1-plain', field.say);
  try {
    const upstreamPort = upstream.port;
    for (const engine of ['weft', 'envoy'] as const) {
      await entries.add(engine, () => plainHop(field, engine, 'http', upstreamPort), check);
    }
    await entries.add(
      'nginx',
      async () => contender('nginx', undefined, [await startNginx({ folder, upstreamPort, protocol: 'http1' })]),
      check,
    );
    await entries.add(
      'haproxy',
      async () => contender('haproxy', undefined, [await startHaproxy({ folder, upstreamPort, protocol: 'http1' })]),
      check,
    );
    return await measure(field, 'http1-plain', entries, upstreamPort);
  } finally {
    await entries.stop();
    await upstream.stop();
  }
}

export async function benchHttp1MtlsPair(field: Field): Promise<CaseOutcome> {
  const { folder } = field;
  const upstream = await startHttp1Upstream(folder);
  const entries = new Entries('http1-mtls-pair', field.say);
  try {
    const upstreamPort = upstream.port;
    await entries.add('weft', () => mtlsPair(field, 'weft', 'web', upstreamPort), check);
    for (const between of ['http1', 'http2'] as const) {
      await entries.add('envoy', () => mtlsPair(field, 'envoy', 'web', upstreamPort, between), check);
    }
    await entries.add('nginx', () => nginxPair(field, upstreamPort), check);
    await entries.add('haproxy', () => haproxyPair(field, upstreamPort), check);
    return await measure(field, 'http1-mtls-pair', entries, upstreamPort);
  } finally {
    await entries.stop();
    await upstream.stop();
  }
}

function nginxPair(field: Field, appPort: number): Promise<Contender> {
  const { folder } = field;
  return peerPair(field, 'nginx', 'HTTP/1.1 between', 'web', appPort, (upstreamPort, tls) =>
    startNginx({ folder, upstreamPort, protocol: 'http1', tls }),
  );
}

function haproxyPair(field: Field, appPort: number): Promise<Contender> {
  const { folder } = field;
  const atService = { protocol: 'http2', upstreamProtocol: 'http1' } as const;
  const atCaller = { protocol: 'http1', upstreamProtocol: 'http2' } as const;
  return peerPair(field, 'haproxy', 'HTTP/2 between', 'web', appPort, (upstreamPort, tls) =>
    startHaproxy({ folder, upstreamPort, ...(tls.side === 'from' ? atService : atCaller), tls }),
  );
}

async function measure(
  field: Field,
  name: 'http1-plain' | 'http1-mtls-pair',
  entries: Entries,
  upstreamPort: number,
): Promise<CaseOutcome> {
  const { rounds, seconds, connections, say } = field;
  const costs = await costRounds(entries.contenders, {
    rounds,
    seconds,
    say,
    load: ({ port }, length) => wrkLoad(port, connections, length),
  });
  // The comparison of latencies is between a direct call, Weft and Envoy at its better.
  const envoys = entries.contenders.filter(({ proxy }) => proxy === 'envoy');
  const cost = (item: Contender): number => costs.get(item)?.cpuUsPerRequest ?? Number.POSITIVE_INFINITY;
  const bestEnvoy = envoys.toSorted((a, b) => cost(a) - cost(b))[0];
  const timed = entries.contenders.filter((item) => item.proxy === 'weft' || item === bestEnvoy);
  const direct = { proxy: 'direct', port: upstreamPort };
  const latency = { protocol: 'http1', rounds, seconds: latencySeconds, connections, say } as const;
  const [directPaced, ...paced] = await latencyRounds([direct, ...timed], { ...latency, rate: latencyRate });
  const [directAlone, ...alone] = await latencyRounds([direct, ...timed], { ...latency, rate: 0 });
  const results = entries.contenders.flatMap((item): CaseResult[] => {
    const summary = costs.get(item);
    const at = timed.indexOf(item);
    const under = paced[at];
    const single = alone[at];
    if (summary === undefined) {
      return [];
    }
    return [
      {
        name,
        proxy: item.proxy,
        ...(item.variant === undefined ? {} : { variant: item.variant }),
        ...summary,
        errors: summary.errors + (under?.errors ?? 0) + (single?.errors ?? 0),
        ...pacedFields(under, directPaced),
        ...(single === undefined || directAlone === undefined
          ? {}
          : {
              sequentialP50Ms: single.p50Ms,
              sequentialP99Ms: single.p99Ms,
              sequentialAddedP50Ms: single.p50Ms - directAlone.p50Ms,
              sequentialAddedP99Ms: single.p99Ms - directAlone.p99Ms,
            }),
      },
    ];
  });
  return { results: withRatios(results, (row) => row.cpuUsPerRequest, 'lower'), skipped: entries.skipped };
}

async function check({ port }: Contender): Promise<void> {
  const connection = await connectHttp1(port);
  await connection.request();
  connection.close();
}
