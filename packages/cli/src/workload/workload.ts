import type { ControlPlaneEndpoints } from '@weft/admin-api';
import { type Clock, MeshError } from '@weft/base';
import {
  type Condition,
  namespaceKind,
  type ProxyResource,
  proxyKind,
  type Service,
  serviceKind,
  workloadEntryKind,
} from '@weft/resources';
import type { MeshApi } from '../api/mesh-api.ts';
import { ChildProgram } from '../platform/child-program.ts';
import { requireEnvoy } from '../platform/find-envoy.ts';
import { findFreePorts, requireFreePort } from '../platform/free-port.ts';
import { requireFreeSocket } from '../platform/free-socket.ts';
import type { OrphanGuard } from '../platform/orphan-guard.ts';
import type { ProgramPaths } from '../platform/program-paths.ts';
import { type RunFiles, runFiles, writePrivate, writeRunFiles } from './bootstrap-file.ts';
import { commandEnvironment, sidecarEnvironment } from './child-environment.ts';
import { withInfrastructure } from './gateway-infrastructure.ts';
import { fieldManager, namespaceObject, proxyObject, serviceObject, workloadEntryObject } from './objects.ts';
import { waitForPort } from './port-watch.ts';
import { HealthProbe } from './probe/health-probe.ts';
import { proxyConcurrency } from './proxy-concurrency.ts';
import { servedPort } from './served-port.ts';
import { createIfAbsent, ensureServiceAccount } from './service-account.ts';
import { Sidecar } from './sidecar.ts';
import type { ServedPort, WorkloadPorts, WorkloadSpec } from './workload-spec.ts';

/** What workloads of one CLI process share. */
export interface WorkloadHost {
  readonly api: MeshApi;
  readonly clock: Clock;
  readonly paths: ProgramPaths;
  readonly guard: OrphanGuard;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  /** Folder of this workload's files. */
  readonly runFolder: (namespace: string, name: string) => string;
  /** Where the command's own output goes. */
  readonly output: 'inherit' | 'pipe';
  readonly input: 'inherit' | 'ignore';
  /** How long what is in flight may take when a workload leaves. */
  readonly drainTimeoutMs: number;
  /** One line for the person who watches. */
  readonly say: (workload: string, line: string) => void;
}

const sidecarReadyMs = 30_000;
const listenWarnMs = 10_000;
const leaveTimeoutMs = 2_000;
const stopGraceMs = 10_000;
const pollMs = 50;

/**
 * One workload in the mesh, from joining to leaving. The order is that of `docs/architecture.md`, "How a workload joins":
 * objects → sidecar → command → endpoint; and back: endpoint → drain → command → sidecar → objects.
 */
export class Workload {
  spec: WorkloadSpec;
  readonly #host: WorkloadHost;
  readonly #files: RunFiles;
  #ports: WorkloadPorts | undefined;
  #served: ServedPort | undefined;
  #sidecar: Sidecar | undefined;
  #command: ChildProgram | undefined;
  #probe: HealthProbe | undefined;
  #joined = false;
  #leaving: Promise<void> | undefined;
  #announced: Promise<void> = Promise.resolve();
  /** The step of joining that is under way: leaving waits for its end, so that nothing is begun behind its back. */
  #step: Promise<unknown> = Promise.resolve();

  constructor(spec: WorkloadSpec, host: WorkloadHost) {
    this.spec = spec;
    this.#host = host;
    this.#files = runFiles(host.runFolder(spec.namespace, spec.name));
  }

  get ports(): WorkloadPorts | undefined {
    return this.#ports;
  }

  get command(): ChildProgram | undefined {
    return this.#command;
  }

  get sidecarPid(): number | undefined {
    return this.#sidecar?.pid;
  }

  /**
   * Registers the workload and writes what its sidecar needs.
   * @throws MeshError `CANCELLED`, as the other steps of joining do, when the workload was told to leave meanwhile.
   */
  join(endpoints: ControlPlaneEndpoints): Promise<void> {
    return this.#begin(() => this.#join(endpoints));
  }

  async #join(endpoints: ControlPlaneEndpoints): Promise<void> {
    const { api } = this.#host;
    this.spec = await withInfrastructure(api.resources, this.spec);
    const { spec } = this;
    if (spec.engine === 'envoy') {
      requireEnvoy(this.#host.env, this.#host.paths);
    }
    await this.#ensureNamespace();
    const existing =
      spec.service === undefined
        ? undefined
        : await api.resources.find<Service>(serviceKind, spec.namespace, spec.service);
    this.#served = spec.service === undefined ? undefined : servedPort(spec, spec.service, existing);
    this.#ports = await this.#choosePorts();
    if (spec.service !== undefined && existing === undefined && this.#served !== undefined) {
      await createIfAbsent(() =>
        api.resources.create(serviceObject(spec, spec.service ?? '', this.#served as ServedPort)),
      );
    }
    this.#joined = true;
    const apply = { fieldManager, force: true };
    // The Proxy first: a WorkloadEntry alone is an endpoint without a sidecar, and peers would send plaintext there.
    const proxy = await api.resources.apply(
      proxyObject(spec, this.#ports, this.#served, this.#served !== undefined),
      apply,
    );
    await ensureServiceAccount(api.resources, spec, proxy);
    const entry = await api.resources.apply(workloadEntryObject(spec, this.#ports, this.#served), apply);
    const token = await api.joinToken(spec.namespace, { serviceAccount: spec.serviceAccount });
    const concurrency = await proxyConcurrency(api.resources, spec);
    const { locality } = entry.spec;
    writeRunFiles(this.#files, spec, this.#ports, endpoints, token, this.#host.version, locality, concurrency);
  }

  /** Starts the sidecar and waits until it is ready. */
  async startSidecar(): Promise<void> {
    const { clock, guard, env, paths, say } = this.#host;
    const { spec } = this;
    const sidecar = new Sidecar({
      engine: spec.engine,
      program: { weft: paths.proxy, envoy: paths.envoyAgent, grpc: paths.grpcAgent }[spec.engine],
      bootstrapFile: this.#files.bootstrap,
      logFile: this.#files.log,
      adminPort: this.#requirePorts().admin,
      env: {
        ...sidecarEnvironment(env),
        ...(spec.engine === 'envoy' ? { WEFT_ENVOY: requireEnvoy(env, paths) } : {}),
      },
      guard,
      clock,
      onRestart: () => this.#renewToken(),
      say: (line) => say(spec.name, line),
    });
    this.#sidecar = sidecar;
    await this.#begin(() => sidecar.start());
    await sidecar.waitReady(sidecarReadyMs);
  }

  /** Starts the command; peers get its endpoint as soon as it listens. */
  async startCommand(): Promise<ChildProgram> {
    const { spec } = this;
    const { env, guard, output, input } = this.#host;
    const [file = '', ...args] = spec.command;
    const ports = this.#requirePorts();
    const command = await this.#begin(async () => {
      this.#command = await ChildProgram.start(file, {
        file,
        args,
        cwd: spec.cwd,
        env: commandEnvironment(spec, ports, env, this.#files.grpcBootstrap),
        output,
        input,
        guard,
      });
      return this.#command;
    });
    if (ports.app !== undefined) {
      this.#announced = this.#announceWhenListening(command, spec.port.socket ?? ports.app);
    }
    return command;
  }

  /** Resolves when peers were told of the endpoint, or the command has ended before it listened. Never rejects. */
  get announced(): Promise<void> {
    return this.#announced;
  }

  /**
   * Leaves the mesh in order; idempotent, never throws.
   * @param signal what a command that still runs is asked to end with. Default SIGTERM.
   */
  leave(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    this.#leaving ??= this.#leave(signal);
    return this.#leaving;
  }

  /** Does one step of joining, unless the workload is leaving. */
  async #begin<T>(step: () => Promise<T>): Promise<T> {
    if (this.#leaving !== undefined) {
      throw new MeshError('CANCELLED', `${this.spec.name} is leaving the mesh`);
    }
    const running = step();
    this.#step = running;
    return await running;
  }

  async #leave(signal: NodeJS.Signals): Promise<void> {
    const { clock, api } = this.#host;
    const { namespace, name } = this.spec;
    await Promise.allSettled([this.#step]);
    this.#probe?.stop();
    const command = this.#command;
    const serves = this.#served !== undefined || this.spec.gateway !== undefined;
    if (this.#joined && serves && this.#sidecar !== undefined && command?.end === undefined) {
      await this.#setDraining(true)
        .then(() => this.#waitProgrammed())
        .catch(() => {});
      await this.#sidecar.drain(this.#host.drainTimeoutMs);
    }
    await command?.stop(clock, stopGraceMs, signal);
    await this.#sidecar?.stop(stopGraceMs);
    if (this.#joined) {
      // The WorkloadEntry first, for the same reason.
      await Promise.allSettled([api.resources.delete(workloadEntryKind, namespace, name)]);
      await Promise.allSettled([api.resources.delete(proxyKind, namespace, name)]);
    }
  }

  async #announceWhenListening(command: ChildProgram, at: number | string): Promise<void> {
    const { clock, say } = this.#host;
    const place = typeof at === 'string' ? at : `127.0.0.1:${at}`;
    const told = typeof at === 'string' ? 'give another socket' : 'it is told the port in PORT; give another one';
    let warned = false;
    const warning = clock.setTimeout(
      () => {
        warned = true;
        say(
          this.spec.name,
          `the command does not listen on ${place} yet (${told} with --port); peers get no endpoint until it does`,
        );
      },
      listenWarnMs,
      { unref: true },
    );
    const listens = await waitForPort(at, clock, () => command.end !== undefined || this.#leaving !== undefined);
    warning.cancel();
    if (!listens) {
      return;
    }
    if (warned) {
      say(this.spec.name, `the command listens on ${place} now`);
    }
    const { probe } = this.spec.group ?? {};
    if (probe === undefined) {
      await this.#announce(true);
      return;
    }
    this.#probe = new HealthProbe(probe, clock, (healthy) => {
      say(this.spec.name, `the command is ${healthy ? 'healthy' : 'not healthy: peers are not sent to it'}`);
      void this.#announce(healthy);
    });
    this.#probe.start();
  }

  /** Tells peers whether they may be sent to the command. */
  async #announce(healthy: boolean): Promise<void> {
    try {
      await this.#setDraining(!healthy);
    } catch (error) {
      this.#host.say(this.spec.name, `peers cannot be told of the command: ${MeshError.from(error).message}`);
    }
  }

  async #setDraining(draining: boolean): Promise<void> {
    await this.#host.api.resources.apply(proxyObject(this.spec, this.#requirePorts(), this.#served, draining), {
      fieldManager,
      force: true,
    });
  }

  /** Until every proxy that had the endpoint has let go of it, but not long. */
  async #waitProgrammed(): Promise<void> {
    const { clock, api } = this.#host;
    const deadline = clock.monotonicMs() + leaveTimeoutMs;
    while (clock.monotonicMs() < deadline) {
      const proxy = await api.resources.get<ProxyResource>(proxyKind, this.spec.namespace, this.spec.name);
      const conditions: readonly Condition[] = (proxy.status?.conditions ?? []) as readonly Condition[];
      const programmed = conditions.find((condition) => condition.type === 'Programmed');
      if (programmed?.status === 'True' && programmed.observedGeneration === proxy.metadata.generation) {
        return;
      }
      await new Promise<void>((resolve) => void clock.setTimeout(resolve, pollMs));
    }
  }

  async #renewToken(): Promise<void> {
    const token = await this.#host.api.joinToken(this.spec.namespace, { serviceAccount: this.spec.serviceAccount });
    writePrivate(this.#files.trustBundle, token.trustBundle);
    writePrivate(this.#files.token, token.token);
  }

  async #ensureNamespace(): Promise<void> {
    const { resources } = this.#host.api;
    if ((await resources.find(namespaceKind, undefined, this.spec.namespace)) === undefined) {
      await createIfAbsent(() => resources.create(namespaceObject(this.spec.namespace)));
    }
  }

  async #choosePorts(): Promise<WorkloadPorts> {
    const { spec } = this;
    const serves = this.#served !== undefined;
    if (spec.port.appPort !== undefined && serves) {
      await requireFreePort(spec.port.appPort, 'the command');
    }
    for (const upstream of spec.upstreams) {
      if (upstream.localPort !== undefined) {
        await requireFreePort(upstream.localPort, `upstream ${upstream.host}`);
      }
    }
    for (const path of spec.unixSockets ?? []) {
      await requireFreeSocket(path);
    }
    const free = await findFreePorts(4 + spec.upstreams.length);
    const next = (): number => {
      const port = free.pop();
      if (port === undefined) {
        throw new MeshError('INTERNAL', 'too few free ports were asked for');
      }
      return port;
    };
    const upstreams = await Promise.all(
      spec.upstreams.map(async (upstream) => ({
        host: upstream.host,
        port: upstream.port ?? (await this.#onlyPortOf(upstream.host)),
        localPort: upstream.localPort ?? next(),
      })),
    );
    return {
      app: serves ? (spec.port.appPort ?? next()) : undefined,
      inbound: serves ? next() : undefined,
      httpProxy: next(),
      admin: next(),
      upstreams,
    };
  }

  /** The port of an upstream that was named without one: the only port of its Service, else 80. */
  async #onlyPortOf(host: string): Promise<number> {
    const [name = host, namespace = this.spec.namespace] = host.split('.');
    const service = await this.#host.api.resources.find<Service>(serviceKind, namespace, name).catch(() => undefined);
    const ports = service?.spec?.ports ?? [];
    return ports.length === 1 ? (ports[0]?.port ?? 80) : 80;
  }

  #requirePorts(): WorkloadPorts {
    if (this.#ports === undefined) {
      throw new MeshError('INTERNAL', 'the workload has not joined yet');
    }
    return this.#ports;
  }
}
