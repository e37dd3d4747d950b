/** What all cases have in common, and the proxies that they put up. */
import { findPeer, freePort } from '@weft/testkit';
import type { CaseName, SkippedCase } from './case-result.ts';
import { type Contender, contender } from './contender.ts';
import { type EngineResources, type MeshResources, targets } from './mesh-resources.ts';
import { type HttpVersion, inboundConfig, outboundConfig, type Secrets } from './sidecar-config.ts';
import { type Engine, startSidecar } from './start-sidecar.ts';

/** One run of the benchmarks. */
export interface Field {
  readonly folder: string;
  readonly resources: MeshResources;
  readonly rounds: number;
  /** Length of one measurement. */
  readonly seconds: number;
  readonly connections: number;
  readonly say: (line: string) => void;
}

/** What the client's, the web service's and the TCP service's sidecar show. */
export function secretsOf({ resources }: Field, who: 'client' | 'web' | 'bytes'): Secrets {
  const keyPair = resources[`${who}KeyPair`];
  return { keyPair, trustBundlePem: resources.trustBundlePem };
}

/** What the control plane made for sidecars of this engine. @throws Error when there are none. */
export function resourcesOf({ resources }: Field, engine: Engine): EngineResources {
  const own = resources[engine];
  if (own === undefined) {
    throw new Error(`${engine} is not installed`);
  }
  return own;
}

/** A caller's sidecar with one plaintext target. */
export async function plainHop(
  field: Field,
  engine: Engine,
  target: 'http' | 'http2' | 'grpc' | 'tcp',
  upstreamPort: number,
): Promise<Contender> {
  const port = await freePort();
  const config = outboundConfig(resourcesOf(field, engine).client, targets[target], {
    listenPort: port,
    endpointPort: upstreamPort,
    accessLog: `${field.folder}/${engine}-access.log`,
    secrets: secretsOf(field, 'client'),
  });
  return contender(engine, undefined, [await startSidecar(engine, config, { folder: field.folder, port })]);
}

/**
 * A caller's sidecar, mutual TLS, and the sidecar of the called service, on one core.
 * @param between for HTTP: what the two speak with each other; undefined for what the control plane wrote.
 */
export async function mtlsPair(
  field: Field,
  engine: Engine,
  service: 'web' | 'bytes',
  appPort: number,
  between?: HttpVersion,
): Promise<Contender> {
  const inboundPort = await freePort();
  const outboundPort = await freePort();
  const { folder } = field;
  const inbound = await startSidecar(
    engine,
    inboundConfig(resourcesOf(field, engine)[service], {
      listenPort: inboundPort,
      appPort,
      accessLog: `${folder}/${engine}-inbound-access.log`,
      secrets: secretsOf(field, service),
    }),
    { folder, port: inboundPort },
  );
  try {
    const config = outboundConfig(resourcesOf(field, engine).client, targets[service], {
      listenPort: outboundPort,
      endpointPort: inboundPort,
      accessLog: `${folder}/${engine}-outbound-access.log`,
      ...(between === undefined ? {} : { between }),
      secrets: secretsOf(field, 'client'),
    });
    const outbound = await startSidecar(engine, config, { folder, port: outboundPort });
    const variant = between === undefined ? undefined : between === 'http2' ? 'HTTP/2 between' : 'HTTP/1.1 between';
    return contender(engine, variant, [outbound, inbound]);
  } catch (error) {
    await inbound.stop();
    throw error;
  }
}

/** Puts up the contenders of a case one by one; one that cannot take part is skipped, with the reason. */
export class Entries {
  readonly contenders: Contender[] = [];
  readonly skipped: SkippedCase[] = [];
  readonly #name: CaseName;
  readonly #say: (line: string) => void;

  constructor(name: CaseName, say: (line: string) => void) {
    this.#name = name;
    this.#say = say;
  }

  /** @param check sends something through it; throws when it does not do the work of the case. */
  async add(
    proxy: 'weft' | 'envoy' | 'nginx' | 'haproxy',
    start: () => Promise<Contender>,
    check: (contender: Contender) => Promise<unknown>,
  ): Promise<void> {
    if (proxy !== 'weft' && findPeer(proxy) === undefined) {
      this.skip(proxy, 'not installed');
      return;
    }
    let started: Contender | undefined;
    try {
      started = await start();
      await check(started);
      this.contenders.push(started);
    } catch (error) {
      await started?.stop();
      this.skip(proxy, error instanceof Error ? error.message : String(error));
    }
  }

  skip(proxy: string, reason: string): void {
    this.skipped.push({ name: this.#name, proxy, reason });
    this.#say(`SKIP ${this.#name} ${proxy}: ${reason}`);
  }

  async stop(): Promise<void> {
    for (const contender of this.contenders) {
      await contender.stop();
    }
  }
}
