import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { eventually, peerSkip, seededRandom } from '@weft/testkit';
import { acceptedDifferences } from '../accepted-differences.ts';
import { Backends } from './backends.ts';
import { type Answer, createClient } from './client.ts';
import { compareObservations, type Difference } from './compare.ts';
import type {
  BackendRequest,
  ClusterSpec,
  Configuration,
  GeneratedRequest,
  MeshCase,
  Observation,
  Stream,
} from './configuration.ts';
import { startCalled, startGateway, startMeshSides, startSidecar } from './mesh-sides.ts';
import { clusterResource } from './resources.ts';
import { EnvoySide, type Side, WeftSide } from './sides.ts';

/** Requests for each configuration; `npm test` sends fewer than a run that is meant to find something. */
const requestCount = Number(process.env['WEFT_DIFFERENTIAL_REQUESTS'] ?? 300);
const seed = Number(process.env['WEFT_DIFFERENTIAL_SEED'] ?? 20_261_121);
const concurrency = 8;
/** Differences that a failed test prints. */
const mostShown = 15;

/** Envoy, ours. */
type Sides = readonly [Side, Side];

/** Registers one test for each configuration; all of them run in one Envoy and one of our proxies. */
export function compareProxies(title: string, configurations: readonly Configuration[]): void {
  compareStreams(title, configurations, (backends) => startStaticSides(configurations, backends));
}

/** Registers one test for each case; all of them run in one mesh, through one sidecar of each engine. */
export function compareSidecars(title: string, cases: readonly MeshCase[]): void {
  compareStreams(title, cases, (backends) => startMeshSides(cases, backends, startSidecar));
}

/** The same, to the ports at which workloads are called, of one sidecar of each engine for each case. */
export function compareCalled(title: string, cases: readonly MeshCase[]): void {
  compareStreams(title, cases, (backends) => startMeshSides(cases, backends, startCalled));
}

/** The same, through one gateway of each engine: both serve the Gateway `edge`, and Gateways of Istio that select `istio: edge`. */
export function compareGateways(title: string, cases: readonly MeshCase[]): void {
  compareStreams(title, cases, (backends) => startMeshSides(cases, backends, startGateway));
}

async function startStaticSides(configurations: readonly Configuration[], backends: Backends): Promise<Sides> {
  const specs = clustersOf(configurations);
  await Promise.all(specs.map((spec) => backends.add(spec)));
  const clusters = specs.map((spec) => clusterResource(spec, backends.ports.get(spec.name) ?? []));
  // Ours first: what it refuses it says at once.
  const weft = await WeftSide.start(configurations, clusters);
  const envoy = await EnvoySide.start(configurations, clusters).catch(async (error: unknown) => {
    await weft.close();
    throw error;
  });
  return [envoy, weft];
}

function compareStreams(
  title: string,
  streams: readonly Stream[],
  start: (backends: Backends) => Promise<Sides>,
): void {
  describe(title, { skip: peerSkip('envoy') }, () => {
    const backends = new Backends();
    let sides: Sides | undefined;

    before(async () => {
      sides = await start(backends);
    });

    after(async () => {
      await Promise.all((sides ?? []).map((side) => side.close()));
      await backends.close();
    });

    for (const stream of streams) {
      test(stream.name, { timeout: 300_000 }, async () => {
        assert.ok(sides !== undefined);
        const requests = requestsOf(stream);
        const [envoy, weft] = await Promise.all(sides.map((side) => observe(side, stream, requests, backends)));
        backends.forget();
        if (envoy === undefined || weft === undefined) {
          throw new Error('nothing was observed');
        }
        if (stream.statistical !== undefined) {
          compareShares(stream.statistical, envoy, weft);
          return;
        }
        report(requests, envoy, weft, stream.name);
      });
    }
  });
}

function clustersOf(configurations: readonly Configuration[]): ClusterSpec[] {
  const byName = new Map<string, ClusterSpec>();
  for (const spec of configurations.flatMap(({ clusters }) => clusters)) {
    const full = typeof spec === 'string' ? { name: spec } : spec;
    const known = byName.get(full.name);
    assert.ok(known === undefined || JSON.stringify(known) === JSON.stringify(full), `two clusters ${full.name}`);
    byName.set(full.name, full);
  }
  return [...byName.values()];
}

function requestsOf(stream: Stream): GeneratedRequest[] {
  let mixed = seed;
  for (const character of stream.name) {
    mixed = Math.imul(mixed, 31) + character.charCodeAt(0);
  }
  const random = seededRandom(mixed);
  const fixed = stream.fixed ?? [];
  const generated = Math.max(0, Math.ceil(requestCount * (stream.share ?? 1)) - fixed.length);
  return [...fixed, ...Array.from({ length: generated }, () => stream.generate(random))];
}

async function observe(
  side: Side,
  stream: Stream,
  requests: readonly GeneratedRequest[],
  backends: Backends,
): Promise<Observation[]> {
  const client = createClient(stream.downstream ?? 'http1', side.port(stream.name), side.agentField);
  const answers: Answer[] = [];
  let next = 0;
  const idOf = (index: number): string => `${side.letter}-${stream.name}-${index}`;
  const work = async (): Promise<void> => {
    for (let index = next++; index < requests.length; index = next++) {
      answers[index] = await client.send(requests[index] as GeneratedRequest, idOf(index));
    }
  };
  try {
    await Promise.all(Array.from({ length: concurrency }, work));
  } finally {
    client.close();
  }
  if (stream.unlogged === true) {
    return answers.map((answer) => ({ ...answer, backends: [], log: {} }));
  }
  const missing = (): number => requests.findIndex((_, index) => side.log(idOf(index)) === undefined);
  await eventually(
    async () => {
      await side.refresh();
      return missing() < 0;
    },
    { what: 'every request is in the log' },
  ).catch((error: unknown) => {
    throw new Error(`no log line: ${JSON.stringify(requests[missing()])} ${JSON.stringify(answers[missing()])}`, {
      cause: error,
    });
  });
  await mirrorsSettle(() => requests.reduce((sum, _, index) => sum + backends.seen(idOf(index)).length, 0));
  return answers.map(({ status, headers, body, elapsedMs }, index) => ({
    status,
    headers,
    body,
    elapsedMs,
    backends: ordered(backends.seen(idOf(index))),
    log: side.log(idOf(index)) ?? {},
  }));
}

/** Copies may come after the answer: waits until nothing came for a while. */
async function mirrorsSettle(count: () => number): Promise<void> {
  let last = -1;
  await eventually(
    () => {
      const now = count();
      const settled = now === last;
      last = now;
      return settled;
    },
    { what: 'no more requests arrive', intervalMs: 60 },
  );
}

/** Tries in the order of their arrival, but mirrored copies by the name of their cluster. */
function ordered(requests: readonly BackendRequest[]): readonly BackendRequest[] {
  return [...requests].sort((a, b) => (a.cluster < b.cluster ? -1 : a.cluster > b.cluster ? 1 : 0));
}

function compareShares(
  { outcome, tolerance = 0.06 }: NonNullable<Stream['statistical']>,
  envoy: readonly Observation[],
  weft: readonly Observation[],
): void {
  const shares = (seen: readonly Observation[]): Map<string, number> => {
    const counts = new Map<string, number>();
    for (const observation of seen) {
      const key = outcome(observation);
      counts.set(key, (counts.get(key) ?? 0) + 1 / seen.length);
    }
    return counts;
  };
  const [ofEnvoy, ofWeft] = [shares(envoy), shares(weft)];
  // Few requests scatter more: three times the deviation of the difference of two shares of a half.
  const allowed = Math.max(tolerance, 3 * Math.sqrt(0.5 / Math.max(1, envoy.length)));
  for (const key of new Set([...ofEnvoy.keys(), ...ofWeft.keys()])) {
    const [e, w] = [ofEnvoy.get(key) ?? 0, ofWeft.get(key) ?? 0];
    assert.ok(Math.abs(e - w) <= allowed, `${key}: Envoy ${e.toFixed(3)}, ours ${w.toFixed(3)}`);
  }
}

function report(
  requests: readonly GeneratedRequest[],
  envoy: readonly Observation[],
  weft: readonly Observation[],
  name: string,
): void {
  const texts: string[] = [];
  let count = 0;
  requests.forEach((request, index) => {
    const found = compareObservations(name, envoy[index] as Observation, weft[index] as Observation).filter(
      notAccepted,
    );
    if (found.length > 0) {
      count += 1;
      texts.push(
        `${JSON.stringify(request)}\n${found.map(({ what, envoy: e, weft: w }) => `    ${what}: Envoy ${JSON.stringify(e)}, ours ${JSON.stringify(w)}`).join('\n')}`,
      );
    }
  });
  assert.equal(count, 0, `${count} of ${requests.length} requests differ\n${texts.slice(0, mostShown).join('\n')}`);
}

function notAccepted(difference: Difference): boolean {
  return !acceptedDifferences.some(({ matches }) => matches(difference));
}
