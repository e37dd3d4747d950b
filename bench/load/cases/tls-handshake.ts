/** `tls-handshake`: mutual TLS handshakes that the sidecar of a called service answers, full and resumed. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '@weft/testkit';
import type { CaseOutcome, CaseResult, SkippedCase } from '../case-result.ts';
import type { HandshakeOptions, HandshakeResult } from '../clients/handshake-client.ts';
import { runClient } from '../clients/run-client.ts';
import { type Contender, contender } from '../contender.ts';
import { Entries, type Field, resourcesOf, secretsOf } from '../field.ts';
import { startHaproxy, startNginx } from '../peer-proxies.ts';
import { withRatios } from '../ratios.ts';
import { costRounds } from '../rounds.ts';
import { inboundConfig } from '../sidecar-config.ts';
import { type Engine, startSidecar } from '../start-sidecar.ts';
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
  const client = clientFiles(field);
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
      await entries.add(engine, () => inbound(field, engine, variant, upstreamPort), check);
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

async function inbound(field: Field, engine: Engine, variant: string, appPort: number): Promise<Contender> {
  const { folder } = field;
  const port = await freePort();
  const config = inboundConfig(resourcesOf(field, engine).web, {
    listenPort: port,
    appPort,
    accessLog: `${folder}/${engine}-handshake-access.log`,
    secrets: secretsOf(field, 'web'),
  });
  return contender(engine, variant, [await startSidecar(engine, config, { folder, port })]);
}

function clientFiles(field: Field): Pick<HandshakeOptions, 'certificateFile' | 'keyFile' | 'rootsFile'> {
  const { keyPair, trustBundlePem } = secretsOf(field, 'client');
  const write = (name: string, text: string): string => {
    const file = join(field.folder, name);
    writeFileSync(file, text, { mode: 0o600 });
    return file;
  };
  return {
    certificateFile: write('handshake-certificate.pem', keyPair.certificatePem),
    keyFile: write('handshake-key.pem', keyPair.keyPem),
    rootsFile: write('handshake-roots.pem', trustBundlePem),
  };
}
