import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MeshError } from '@weft/base';
import { parse } from 'yaml';
import { usageFailure } from '../cli-failure.ts';
import { parsePort, parseProtocol, parseUpstream } from '../workload/flags.ts';
import type { WorkloadSpec } from '../workload/workload-spec.ts';

/** The demo as `demo/bookshop.yaml` describes it. */
export interface DemoDefinition {
  readonly namespace: string;
  /** Folder with the objects to apply first. */
  readonly manifests: string;
  readonly shop: { readonly workload: string; readonly upstream: string };
  readonly workloads: readonly WorkloadSpec[];
}

interface DefinitionFile {
  readonly namespace: string;
  readonly manifests: string;
  readonly shop: { readonly workload: string; readonly upstream: string };
  readonly workloads: readonly {
    readonly name: string;
    readonly service?: string;
    readonly version?: string;
    readonly protocol?: string;
    readonly port?: string;
    readonly command: readonly string[];
    readonly upstreams?: readonly string[];
    readonly env?: Readonly<Record<string, string>>;
  }[];
}

/** Which sidecars are Envoy. */
export interface EngineChoice {
  /** Names of services or workloads. */
  readonly envoy: readonly string[];
  /** `half`: every second workload; `all`; default none. */
  readonly mix?: string | undefined;
}

/** Objects and workloads that the demo made have this label. */
const demoLabel = 'weft.dev/demo';

/** @param shopPort where the shop's first page is, instead of the port that the file says. */
export function readDemo(folder: string, engines: EngineChoice, shopPort: number | undefined): DemoDefinition {
  const path = join(folder, 'bookshop.yaml');
  let file: DefinitionFile;
  try {
    file = parse(readFileSync(path, 'utf8')) as DefinitionFile;
  } catch (error) {
    throw new MeshError('NOT_FOUND', `the demo cannot be read: ${error instanceof Error ? error.message : error}`, {
      cause: error,
      details: { where: path },
      hint: 'The demo is part of the checkout: run `weft demo` from there, or `npm start`.',
    });
  }
  const known = new Set(file.workloads.flatMap((entry) => [entry.name, entry.service ?? entry.name]));
  for (const name of engines.envoy) {
    if (!known.has(name)) {
      throw usageFailure(
        `the demo has no service ${JSON.stringify(name)}`,
        `use some of: ${[...known].sort().join(', ')}`,
      );
    }
  }
  const isEnvoy = (name: string, service: string | undefined, index: number): boolean =>
    engines.mix === 'all' ||
    (engines.mix === 'half' && index % 2 === 1) ||
    engines.envoy.some((wanted) => wanted === name || wanted === service);
  const workloads = file.workloads.map((entry, index): WorkloadSpec => {
    const [program = '', ...args] = entry.command;
    return {
      namespace: file.namespace,
      name: entry.name,
      service: entry.service,
      version: entry.version,
      serviceAccount: entry.service ?? entry.name,
      protocol: entry.protocol === undefined ? undefined : parseProtocol(entry.protocol),
      port: parsePort(entry.port ?? '0'),
      upstreams: (entry.upstreams ?? []).map((text) => {
        const upstream = parseUpstream(text);
        return shopPort !== undefined && entry.name === file.shop.workload && upstream.host === file.shop.upstream
          ? { ...upstream, localPort: shopPort }
          : upstream;
      }),
      engine: isEnvoy(entry.name, entry.service, index) ? 'envoy' : 'weft',
      command: [program === 'node' ? process.execPath : program, ...args],
      cwd: folder,
      env: entry.env ?? {},
      labels: { [demoLabel]: 'bookshop' },
    };
  });
  return { namespace: file.namespace, manifests: join(folder, file.manifests), shop: file.shop, workloads };
}

/** The local port through which the shop is entered. */
export function shopPortOf(definition: DemoDefinition): number {
  const port = definition.workloads
    .find((workload) => workload.name === definition.shop.workload)
    ?.upstreams.find((upstream) => upstream.host === definition.shop.upstream)?.localPort;
  if (port === undefined) {
    throw new MeshError('BAD_CONFIGURATION', 'the demo names no port for the shop');
  }
  return port;
}
