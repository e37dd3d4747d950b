/** What all cases have in common, and the proxies that they put up. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findPeer, freePort } from '@weft/testkit';
import type { CaseName, SkippedCase } from './case-result.ts';
import { type Contender, contender } from './contender.ts';
import { type EngineResources, type MeshResources, targets } from './mesh-resources.ts';
import type { PeerTls } from './peer-proxies.ts';
import type { Running } from './running.ts';
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

/** The files of what the client's sidecar shows, for load generators that speak mutual TLS. @param prefix of their names. */
export function clientTlsFiles(
  field: Field,
  prefix: string,
): { readonly certificateFile: string; readonly keyFile: string; readonly rootsFile: string } {
  const { keyPair, trustBundlePem } = secretsOf(field, 'client');
  const write = (name: string, text: string): string => {
    const file = join(field.folder, `${prefix}-${name}.pem`);
    writeFileSync(file, text, { mode: 0o600 });
    return file;
  };
  return {
    certificateFile: write('certificate', keyPair.certificatePem),
    keyFile: write('key', keyPair.keyPem),
    rootsFile: write('roots', trustBundlePem),
  };
}

/** What the control plane made for sidecars of this engine. @throws Error when there are none. */
function resourcesOf({ resources }: Field, engine: Engine): EngineResources {
  const own = resources[engine];
  if (own === undefined) {
    throw new Error(`${engine} is not installed`);
  }
  return own;
}

/** The sidecar of a called service: mutual TLS in. @param use names its access log. */
export async function inboundSidecar(
  field: Field,
  engine: Engine,
  appPort: number,
  use: string,
  variant?: string,
): Promise<Contender> {
  const port = await freePort();
  const config = inboundConfig(resourcesOf(field, engine).web, {
    listenPort: port,
    appPort,
    accessLog: `${field.folder}/${engine}-${use}-access.log`,
    secrets: secretsOf(field, 'web'),
  });
  return contender(engine, variant, [await startSidecar(engine, config, { folder: field.folder, port })]);
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

/**
 * Two proxies of one kind in place of the sidecars of a service and of its caller.
 * @param start puts up one of them, with TLS on the side of the other: `from` at the service, `to` at the caller.
 */
export async function peerPair(
  field: Field,
  proxy: string,
  variant: string | undefined,
  service: 'web' | 'bytes',
  appPort: number,
  start: (upstreamPort: number, tls: PeerTls) => Promise<Running>,
): Promise<Contender> {
  const inbound = await start(appPort, { side: 'from', secrets: secretsOf(field, service) });
  try {
    const outbound = await start(inbound.port, { side: 'to', secrets: secretsOf(field, 'client') });
    return contender(proxy, variant, [outbound, inbound]);
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
