import { findPeer, freePort, peerSkip, type TestMesh, type TestWorkload } from '@weft/testkit';

const engines = ['weft', 'envoy'] as const;
export type EngineName = (typeof engines)[number];

/** Those that this machine has. */
export const availableEngines: readonly EngineName[] = engines.filter(
  (engine) => engine === 'weft' || peerSkip('envoy') === false,
);

/** The sidecar of the caller and that of the called, with the `skip` option of tests that need both. */
export const enginePairs: readonly {
  readonly from: EngineName;
  readonly to: EngineName;
  readonly skip: string | false;
}[] = engines.flatMap((from) =>
  engines.map((to) => ({ from, to, skip: from === 'envoy' || to === 'envoy' ? peerSkip('envoy') : false })),
);

export const engineEnvironment = { WEFT_ENVOY: findPeer('envoy') ?? '' };

/** `weft run` of a service whose sidecar is `engine`. */
export function runService(
  mesh: TestMesh,
  service: string,
  engine: EngineName,
  program: string,
  options: { readonly flags?: readonly string[]; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<TestWorkload> {
  return mesh.runWorkload(
    ['--service', service, '--engine', engine, ...(options.flags ?? []), '--', process.execPath, program],
    { env: { ...engineEnvironment, ...options.env } },
  );
}

/** A caller whose sidecar is `engine`, and the local ports of its upstreams by `NAME:PORT`. */
export async function runCaller(
  mesh: TestMesh,
  name: string,
  engine: EngineName,
  upstreams: readonly string[],
): Promise<{ readonly workload: TestWorkload; readonly ports: ReadonlyMap<string, number> }> {
  const ports = new Map<string, number>();
  for (const upstream of upstreams) {
    ports.set(upstream, await freePort());
  }
  const flags = upstreams.flatMap((upstream) => ['--upstream', `${upstream}=${ports.get(upstream)}`]);
  const workload = await mesh.runWorkload(['--name', name, '--engine', engine, ...flags, '--', 'sleep', '1000'], {
    env: engineEnvironment,
  });
  return { workload, ports };
}
