import { programs, startMesh } from '@weft/testkit';
import { quantile } from './statistics.ts';

/** From the start of an apply to the moment at which each proxy has acknowledged it, milliseconds. */
export interface PropagationResult {
  readonly proxies: number;
  readonly changes: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

const host = 'echo.default.svc.cluster.local';

function virtualService(round: number): object {
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name: 'echo', namespace: 'default' },
    spec: {
      hosts: ['echo'],
      http: [
        { match: [{ headers: { 'x-round': { exact: String(round) } } }], route: [{ destination: { host } }] },
        { route: [{ destination: { host } }] },
      ],
    },
  };
}

/**
 * A routing change through the resource API to every proxy having applied it, as the resource's own `Programmed` condition says.
 * The clock stands outside the mesh: `kubectl apply` begins (its own start-up, about 100 ms of CPU, is left out by writing with
 * the API directly) and a watch shows the condition for the new generation.
 */
export async function benchPropagation(options: {
  readonly proxies: number;
  readonly changes: number;
  readonly say: (line: string) => void;
}): Promise<PropagationResult> {
  const mesh = await startMesh();
  try {
    const echo = ['--service', 'echo', '--version', 'v1', '--', process.execPath, programs.echo];
    await mesh.runWorkload(echo);
    for (let i = 1; i < options.proxies; i++) {
      await mesh.runWorkload(['--name', `caller-${i}`, '--upstream', 'echo', '--', 'sleep', '100000']);
    }
    const api = mesh.api();
    const path = '/apis/networking.istio.io/v1/namespaces/default/virtualservices/echo';
    const times: number[] = [];
    for (let round = 0; round < options.changes; round++) {
      const programmed = api.watchUntil('/apis/networking.istio.io/v1/namespaces/default/virtualservices', (object) =>
        isProgrammed(object, round),
      );
      await programmed.started;
      const started = performance.now();
      await api.request(
        'PATCH',
        `${path}?fieldManager=bench&force=true`,
        virtualService(round),
        'application/apply-patch+yaml',
      );
      await programmed.found;
      times.push(performance.now() - started);
    }
    const at = (q: number): number => quantile(times, q) ?? Number.NaN;
    return {
      proxies: options.proxies,
      changes: options.changes,
      p50Ms: at(0.5),
      p99Ms: at(0.99),
      maxMs: Math.max(...times),
    };
  } finally {
    await mesh.stop();
  }
}

interface WatchedObject {
  readonly metadata: { readonly generation: number };
  readonly spec: {
    readonly http: readonly {
      readonly match?: readonly { readonly headers?: Record<string, { readonly exact: string }> }[];
    }[];
  };
  readonly status?: {
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly observedGeneration?: number;
    }[];
  };
}

function isProgrammed(object: unknown, round: number): boolean {
  const { metadata, spec, status } = object as WatchedObject;
  const ours = spec.http[0]?.match?.[0]?.headers?.['x-round']?.exact === String(round);
  return (
    ours &&
    (status?.conditions ?? []).some(
      ({ type, status: value, observedGeneration }) =>
        type === 'Programmed' && value === 'True' && observedGeneration === metadata.generation,
    )
  );
}
