import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { childPids, eventually, freePort, startMesh, type TestMesh, type TestWorkload } from '@weft/testkit';

/** A server that is to be reached through sidecars. */
export interface Served {
  /** A DNS label. */
  readonly name: string;
  readonly protocol: 'http' | 'http2' | 'grpc';
  /** Begins to listen on this port of loopback: `weft run` wants it free when the workload joins. */
  listen(port: number): Promise<void>;
}

/** One way from a client to an application. */
export interface Way {
  /** For the titles of tests. */
  readonly title: string;
  /** Of the client's sidecar. */
  readonly port: number;
  readonly served: Served;
  /** Sidecars on the way, the client's first. */
  readonly sidecars: readonly TestWorkload[];
}

/** Ways to each of the servers: by the client's sidecar alone, and by the sidecars of both with mutual TLS between. */
export interface ClientMesh {
  readonly mesh: TestMesh;
  readonly caller: TestWorkload;
  way(name: string, sidecars: 'one sidecar' | 'two sidecars'): Way;
  stop(): Promise<void>;
}

export const sidecarCounts = ['one sidecar', 'two sidecars'] as const;

/** Outside of the mesh, so that nothing but the client's sidecar is between. */
function externalService({ name, protocol }: Served, port: number): object {
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'ServiceEntry',
    metadata: { name: `${name}-alone`, namespace: 'default' },
    spec: {
      hosts: [`${name}.example`],
      location: 'MESH_EXTERNAL',
      resolution: 'STATIC',
      ports: [{ number: 80, name: protocol, protocol: protocol.toUpperCase(), targetPort: port }],
      endpoints: [{ address: '127.0.0.1' }],
    },
  };
}

/** Starts a mesh in which the servers are reached, and waits until `isReached` says so of each way. */
export async function startClientMesh(
  servers: readonly Served[],
  isReached: (way: Way) => Promise<boolean>,
): Promise<ClientMesh> {
  const mesh = await startMesh();
  try {
    const api = mesh.api();
    const path = '/apis/networking.istio.io/v1/namespaces/default/serviceentries';
    const appPorts = new Map<string, number>();
    for (const served of servers) {
      const port = await freePort();
      appPorts.set(served.name, port);
      const { status, body } = await api.request('POST', path, externalService(served, port));
      assert.equal(status, 201, JSON.stringify(body));
    }
    const flags: string[] = [];
    const ports = new Map<string, number>();
    for (const host of servers.flatMap(({ name }) => [name, `${name}.example`])) {
      const port = await freePort();
      ports.set(host, port);
      flags.push('--upstream', `${host}:80=${port}`);
    }
    const idle = ['--', 'sleep', '1000'];
    const [caller, ...workloads] = await Promise.all([
      mesh.runWorkload(['--name', 'caller', ...flags, ...idle]),
      ...servers.map(({ name, protocol }) =>
        mesh.runWorkload(['--service', name, '--protocol', protocol, '--port', `80:${appPorts.get(name)}`, ...idle]),
      ),
    ]);
    await Promise.all(servers.map(({ name, listen }) => listen(appPorts.get(name) ?? 0)));
    const ways = servers.flatMap((served, index) => {
      const server = workloads[index];
      assert.ok(server !== undefined);
      return [
        { title: `${served.name}.example`, host: `${served.name}.example`, sidecars: [caller] },
        { title: served.name, host: served.name, sidecars: [caller, server] },
      ].map(({ host, ...rest }) => ({ ...rest, served, port: ports.get(host) ?? 0 }));
    });
    for (const way of ways) {
      await eventually(() => isReached(way), { what: `${way.title} is reached`, timeoutMs: 30_000 });
    }
    return {
      mesh,
      caller,
      way(name, sidecars) {
        const found = ways.find(
          (way) => way.served.name === name && way.sidecars.length === sidecarCounts.indexOf(sidecars) + 1,
        );
        assert.ok(found !== undefined, `no way to ${name}`);
        return found;
      },
      stop: () => mesh.stop(),
    };
  } catch (error) {
    await mesh.stop();
    throw error;
  }
}

/** Most memory that the sidecar of a workload ever held, MB (`VmHWM`); `now`: what it holds now (`VmRSS`). */
export function sidecarMemory(workload: TestWorkload): { readonly peak: number; readonly now: number } {
  const proxy = childPids(workload.process.pid).find((pid) =>
    readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('/dist/proxy.js'),
  );
  assert.ok(proxy !== undefined, 'the workload has a sidecar');
  const status = readFileSync(`/proc/${proxy}/status`, 'utf8');
  const megabytes = (field: string): number =>
    Number(new RegExp(`^${field}:\\s*(\\d+) kB`, 'm').exec(status)?.[1]) / 1024;
  return { peak: megabytes('VmHWM'), now: megabytes('VmRSS') };
}
