import { join } from 'node:path';
import type { KubeObject } from '@weft/resources';
import { eventually, findPeer, startMesh, type TestMesh, type TestWorkload } from '@weft/testkit';
import { Addresses } from './addresses.ts';
import { type ConformanceCertificates, conformanceCertificates, type KeyPair, tlsSecret } from './certificates.ts';
import { GatewayProxies, listenPort } from './gateway-proxies.ts';
import { readManifests } from './manifests.ts';
import { type Pod, startPods } from './pods.ts';
import { ResourceClient, type StoredObject } from './resource-client.ts';

const baseManifests = 'base/manifests.yaml';
const meshManifests = 'mesh/manifests.yaml';
const meshNamespace = 'gateway-conformance-mesh';
const workloadProgram = join(import.meta.dirname, 'mesh-workload.ts');

/** A control plane, the backends, gateways and sidecars that the tests of the data start from. */
export class ConformanceMesh {
  readonly resources: ResourceClient;
  readonly secrets: ReadonlyMap<string, KeyPair>;
  readonly gateways: GatewayProxies;
  readonly pods: Pod[] = [];
  readonly #authorities: readonly KubeObject[];
  readonly #mesh: TestMesh;
  readonly #folder: string;
  readonly #addresses: Addresses;
  readonly #workloads = new Map<string, TestWorkload>();
  /** Gateways that are on their way out. */
  #leaving: Promise<unknown>[] = [];

  private constructor(
    mesh: TestMesh,
    folder: string,
    certificates: ConformanceCertificates,
    addresses: Addresses,
    gateways: GatewayProxies,
  ) {
    this.#mesh = mesh;
    this.#folder = folder;
    this.#addresses = addresses;
    this.resources = new ResourceClient(mesh.api());
    this.secrets = certificates.secrets;
    this.#authorities = certificates.authorities;
    this.gateways = gateways;
  }

  /** @param folder of the data. */
  static async start(folder: string, engine: string): Promise<ConformanceMesh> {
    const certificates = await conformanceCertificates();
    const mesh = await startMesh();
    const addresses = new Addresses();
    const started = new ConformanceMesh(
      mesh,
      folder,
      certificates,
      addresses,
      new GatewayProxies(mesh, addresses, engine),
    );
    try {
      await Promise.all([started.#startBase(), started.#startWorkloads(engine)]);
    } catch (error) {
      await started.stop();
      throw error;
    }
    return started;
  }

  async stop(): Promise<void> {
    await Promise.all([this.gateways.stopAll(), ...this.#leaving]);
    await Promise.all(this.pods.map((pod) => pod.close()));
    await this.#mesh.stop();
  }

  /** What a test adds to what is there anyway: applied, with a proxy for each of its Gateways. */
  async add(folder: string, manifests: readonly string[]): Promise<readonly KubeObject[]> {
    const own = manifests.filter((file) => file !== baseManifests && file !== meshManifests);
    const { objects, deployments } = readManifests(folder, own);
    if (deployments.length > 0) {
      throw new Error(`${own.join(', ')} has a Deployment that nobody starts`);
    }
    for (const object of objects) {
      if (object.kind === 'Gateway') {
        this.gateways.start(object);
      }
      await this.resources.apply(object);
    }
    return objects;
  }

  /** Takes back what {@link add} has added. */
  async remove(objects: readonly KubeObject[]): Promise<void> {
    for (const object of objects) {
      await this.resources.delete(object);
      if (object.kind === 'Gateway') {
        this.#leaving.push(this.gateways.stop(object));
      }
    }
  }

  /** Where a Gateway is reached: its address as its status says it, and the port that is wanted, else that of its first listener with one of the protocols. */
  async place(
    gateway: string,
    protocols: readonly string[],
    wanted?: number,
  ): Promise<{ address: string; port: number; listens: number }> {
    const [namespace, name = ''] = gateway.split('/');
    const find = (): Promise<StoredObject | undefined> =>
      this.resources.find('gateway.networking.k8s.io/v1', 'Gateway', namespace, name);
    const object = await eventually(
      async () => {
        const found = await find();
        return addressOf(found) === undefined ? undefined : found;
      },
      { what: `Gateway ${gateway} has an address`, timeoutMs: 30_000, intervalMs: 50 },
    );
    const { listeners = [] } = (object as { spec?: { listeners?: { port: number; protocol: string }[] } }).spec ?? {};
    const port = wanted ?? listeners.find(({ protocol }) => protocols.includes(protocol))?.port ?? 0;
    return { address: addressOf(object) ?? '', port, listens: listenPort(port) };
  }

  /** The sidecar of a workload, by the words of the data: `app echo-v1 in namespace …`. */
  workload(from: string): TestWorkload {
    const name = /^app (\S+) in namespace gateway-conformance-mesh$/.exec(from)?.[1] ?? '';
    const workload = this.#workloads.get(name);
    if (workload === undefined) {
      throw new Error(`there is no ${from}`);
    }
    return workload;
  }

  async #startBase(): Promise<void> {
    const { objects, deployments } = readManifests(this.#folder, [baseManifests]);
    for (const gateway of objects.filter(({ kind }) => kind === 'Gateway')) {
      this.gateways.start(gateway);
    }
    for (const object of objects) {
      await this.resources.apply(object);
    }
    for (const [key, pair] of this.secrets) {
      const [namespace = '', name = ''] = key.split('/');
      await this.resources.apply(tlsSecret(namespace, name, pair));
    }
    for (const authority of this.#authorities) {
      await this.resources.apply(authority);
    }
    for (const deployment of deployments) {
      const pods = await startPods(deployment, this.#addresses, this.secrets);
      this.pods.push(...pods);
      await Promise.all(pods.map(({ entry }) => this.resources.apply(entry)));
    }
  }

  /** `weft run` for each Deployment of the mesh; its port 8080 is told under both names that the Services have for it. */
  async #startWorkloads(engine: string): Promise<void> {
    const { objects, deployments } = readManifests(this.#folder, [meshManifests]);
    for (const object of objects) {
      await this.resources.apply(object);
    }
    const own = deployments.filter(({ metadata }) => metadata.namespace === meshNamespace);
    await Promise.all(
      own.map(async ({ metadata, spec }) => {
        const { app = '', version = '' } = spec.template.metadata.labels;
        const workload = await this.#mesh.runWorkload(
          [
            ...['--namespace', meshNamespace, '--service', app, '--version', version],
            ...['--port', '80:0', '--engine', engine, '--', process.execPath, workloadProgram],
          ],
          { env: { POD_NAME: `${metadata.name}-pod`, NAMESPACE: meshNamespace, WEFT_ENVOY: findPeer('envoy') ?? '' } },
        );
        this.#workloads.set(metadata.name, workload);
        const entry = await this.resources.find(
          'networking.istio.io/v1',
          'WorkloadEntry',
          meshNamespace,
          workload.name,
        );
        const { ports } = (entry as { spec?: { ports?: { http?: number } } }).spec ?? {};
        if (entry === undefined || ports?.http === undefined) {
          throw new Error(`${workload.name} serves no port http`);
        }
        await this.resources.patch(entry, { spec: { ports: { 'http-alt': ports.http } } });
      }),
    );
  }
}

function addressOf(object: StoredObject | undefined): string | undefined {
  return ((object?.status?.['addresses'] ?? []) as readonly { readonly value: string }[])[0]?.value;
}
