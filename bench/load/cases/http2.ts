/** `http2-plain` and `grpc-unary`: one hop, HTTP/2 by prior knowledge on both sides, 100 streams on one connection. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CaseOutcome, CaseResult } from '../case-result.ts';
import { connectHttp2Client } from '../clients/one-request.ts';
import { type Contender, contender } from '../contender.ts';
import { Entries, type Field, plainHop } from '../field.ts';
import { latencyRounds, pacedFields } from '../latency.ts';
import { h2loadLoad } from '../native-loads.ts';
import { startHaproxy, startNginx } from '../peer-proxies.ts';
import { withRatios } from '../ratios.ts';
import { costRounds } from '../rounds.ts';
import { grpcMessage, grpcPath, startHttp2Upstream } from '../upstreams.ts';
import { latencyRate } from './http1.ts';

const streams = 100;
const latencySeconds = 3;

export async function benchHttp2(field: Field, name: 'http2-plain' | 'grpc-unary'): Promise<CaseOutcome> {
  const { folder, rounds, seconds, connections, say } = field;
  const grpc = name === 'grpc-unary';
  const upstream = await startHttp2Upstream(folder);
  const entries = new Entries(name, say);
  const body = join(folder, 'message.bin');
  writeFileSync(body, grpcMessage());
  const check = ({ port }: Contender): Promise<void> => checkHttp2(port, grpc);
  try {
    const upstreamPort = upstream.port;
    for (const engine of ['weft', 'envoy'] as const) {
      await entries.add(engine, () => plainHop(field, engine, grpc ? 'grpc' : 'http2', upstreamPort), check);
    }
    await entries.add(
      'haproxy',
      async () => contender('haproxy', undefined, [await startHaproxy({ folder, upstreamPort, protocol: 'http2' })]),
      check,
    );
    if (grpc) {
      await entries.add(
        'nginx',
        async () => contender('nginx', undefined, [await startNginx({ folder, upstreamPort, protocol: 'grpc' })]),
        check,
      );
    } else {
      entries.skip('nginx', 'this version has no HTTP/2 to upstreams but for gRPC');
    }
    const load = grpc
      ? { path: grpcPath, headers: ['content-type: application/grpc', 'te: trailers'], body }
      : { path: '/catalog/items?page=2' };
    const costs = await costRounds(entries.contenders, {
      rounds,
      seconds,
      say,
      load: ({ port }, length) => h2loadLoad({ port, streams, seconds: length, ...load }),
    });
    const timed = entries.contenders.filter(({ proxy }) => proxy === 'weft' || proxy === 'envoy');
    const [direct, ...paced] = await latencyRounds([{ proxy: 'direct', port: upstreamPort }, ...timed], {
      protocol: grpc ? 'grpc' : 'http2',
      rate: latencyRate,
      rounds,
      seconds: latencySeconds,
      connections,
      say,
    });
    const results = entries.contenders.flatMap((item): CaseResult[] => {
      const summary = costs.get(item);
      const under = paced[timed.indexOf(item)];
      return summary === undefined
        ? []
        : [
            {
              name,
              proxy: item.proxy,
              ...summary,
              errors: summary.errors + (under?.errors ?? 0),
              ...pacedFields(under, direct),
            },
          ];
    });
    return { results: withRatios(results, (row) => row.cpuUsPerRequest, 'lower'), skipped: entries.skipped };
  } finally {
    await entries.stop();
    await upstream.stop();
  }
}

/** @throws Error when an answer, or for gRPC the status in trailers, does not come back over HTTP/2. */
async function checkHttp2(port: number, grpc: boolean): Promise<void> {
  const connection = await connectHttp2Client(port, grpc ? { path: grpcPath, message: grpcMessage() } : undefined);
  try {
    await connection.request();
  } finally {
    connection.close();
  }
}
