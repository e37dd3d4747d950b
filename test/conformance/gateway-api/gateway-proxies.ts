import type { KubeObject } from '@weft/resources';
import { type Background, findPeer, programs, startBackground, type TestMesh } from '@weft/testkit';
import type { Addresses } from './addresses.ts';

/** Ports of listeners in the manifests, and where they are really opened: those below 1024 are not for everybody. */
const portMap: ReadonlyMap<number, number> = new Map([80, 443, 8080, 8443].map((port) => [port, port + 20_000]));

/** Where a port of a Gateway is reached. */
export function listenPort(port: number): number {
  const mapped = portMap.get(port);
  if (mapped === undefined) {
    throw new Error(`port ${port} is not opened by the harness`);
  }
  return mapped;
}

/** Runs `weft gateway` for Gateways, as a platform would start their proxies. */
export class GatewayProxies {
  readonly #mesh: TestMesh;
  readonly #addresses: Addresses;
  readonly #engine: string;
  readonly #running = new Map<string, Background>();

  constructor(mesh: TestMesh, addresses: Addresses, engine: string) {
    this.#mesh = mesh;
    this.#addresses = addresses;
    this.#engine = engine;
  }

  start({ metadata }: KubeObject): void {
    const { name, namespace = '' } = metadata;
    const ports = [...portMap].flatMap(([port, to]) => ['--port', `${port}=${to}`]);
    const args = ['gateway', name, '--namespace', namespace, '--address', this.#addresses.next(), ...ports];
    const gateway = startBackground(process.execPath, [programs.weft, ...args, '--engine', this.#engine], {
      env: { ...this.#mesh.env, WEFT_ENVOY: findPeer('envoy') ?? '' },
    });
    this.#running.set(`${namespace}/${name}`, gateway);
  }

  async stop({ metadata }: KubeObject): Promise<void> {
    const key = `${metadata.namespace ?? ''}/${metadata.name}`;
    const gateway = this.#running.get(key);
    this.#running.delete(key);
    await gateway?.stop();
  }

  /** What the gateways that run have printed, for messages of failed tests. */
  output(): string {
    return [...this.#running].map(([key, gateway]) => `${key}: ${gateway.output()}`).join('\n');
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.#running.values()].map((gateway) => gateway.stop()));
    this.#running.clear();
  }
}
