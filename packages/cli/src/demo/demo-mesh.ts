import { join } from 'node:path';
import type { ControlPlaneFile } from '@weft/admin-api';
import { Backoff, type Clock, MeshError, type Timer } from '@weft/base';
import { type MeshApi, openMeshApi } from '../api/mesh-api.ts';
import type { Context } from '../context.ts';
import { CappedLog } from '../platform/capped-log.ts';
import type { ChildProgram } from '../platform/child-program.ts';
import { type ControlPlaneFlags, startControlPlane } from '../platform/control-plane-process.ts';
import { OrphanGuard } from '../platform/orphan-guard.ts';
import { Workload, type WorkloadHost } from '../workload/workload.ts';
import type { WorkloadSpec } from '../workload/workload-spec.ts';
import { runInTurn } from './run-in-turn.ts';

const controlPlaneStopMs = 15_000;
const restartBase = { baseMs: 1_000, maxMs: 15_000 };
/** More at once only makes all of them late on a machine with two cores. */
const startsAtOnce = 3;

/** The control plane and the workloads of the demo, kept running until {@link stop}. */
export class DemoMesh {
  readonly #context: Context;
  readonly #clock: Clock;
  readonly #flags: ControlPlaneFlags;
  readonly #guard = new OrphanGuard();
  readonly #workloads = new Map<string, Workload>();
  readonly #logs = new Map<string, CappedLog>();
  readonly #timers = new Set<Timer>();
  readonly #backoffs = new Map<string, Backoff>();
  readonly #say: (line: string) => void;
  #controlPlane: ChildProgram | undefined;
  #api: MeshApi | undefined;
  #file: ControlPlaneFile | undefined;
  #stopping = false;

  constructor(context: Context, flags: ControlPlaneFlags, say: (line: string) => void) {
    this.#context = context;
    this.#clock = context.terminal.clock;
    this.#flags = flags;
    this.#say = say;
  }

  get api(): MeshApi {
    if (this.#api === undefined) {
      throw new MeshError('INTERNAL', 'the control plane has not been started yet');
    }
    return this.#api;
  }

  get controlPlaneFile(): ControlPlaneFile | undefined {
    return this.#file;
  }

  /** @throws MeshError `CANCELLED` once {@link stop} was called: whoever waits for something of the demo waits in vain. */
  requireRunning(): void {
    if (this.#stopping) {
      throw new MeshError('CANCELLED', 'the demo is being stopped');
    }
  }

  async startControlPlane(): Promise<ControlPlaneFile> {
    const { child, file } = await startControlPlane({
      paths: this.#context.paths,
      state: this.#context.state,
      flags: this.#flags,
      env: this.#context.terminal.env,
      clock: this.#clock,
      guard: this.#guard,
    });
    this.#controlPlane = child;
    this.#file = file;
    this.#api?.close();
    this.#api = openMeshApi({ kubeconfig: file.kubeconfig }, this.#context.terminal.env, this.#context.state);
    void child.ended.then((end) => {
      if (!this.#stopping) {
        this.#say(
          `the control plane ended (${end.signal ?? `code ${end.code}`}); the shop goes on, it is started again`,
        );
        this.#again('control-plane', () => this.startControlPlane().then(() => this.#say('the control plane is back')));
      }
    });
    return file;
  }

  /** Starts workloads, a few at once; resolves when peers know their endpoints. `started` is called after each. */
  async startWorkloads(specs: readonly WorkloadSpec[], started: () => void): Promise<void> {
    await runInTurn(specs, startsAtOnce, async (spec) => {
      if (!this.#stopping) {
        await this.#startWorkload(spec);
        started();
      }
    });
  }

  /** Registers a workload and starts its sidecar, so that what it offers can be used before its command runs. */
  async startSidecarOf(spec: WorkloadSpec): Promise<Workload> {
    this.requireRunning();
    const endpoints = this.#file?.endpoints;
    if (endpoints === undefined) {
      throw new MeshError('INTERNAL', 'the control plane has not been started yet');
    }
    const workload = new Workload(spec, this.#host());
    this.#workloads.set(spec.name, workload);
    await workload.join(endpoints);
    await workload.startSidecar();
    return workload;
  }

  /** Starts the command of a workload whose sidecar runs, and both again whenever the command ends. */
  async startCommandOf(workload: Workload): Promise<void> {
    if (this.#stopping) {
      return;
    }
    const { spec } = workload;
    const command = await workload.startCommand();
    const log = this.#logOf(spec.name);
    log.follow(command.stdout);
    log.follow(command.stderr);
    void command.ended.then(async (end) => {
      if (this.#stopping) {
        return;
      }
      this.#say(`${spec.name} ended (${end.signal ?? `code ${end.code}`}); it is started again`);
      await workload.leave();
      this.#again(spec.name, () => this.#startWorkload(spec));
    });
    await workload.announced;
  }

  /** Takes everything down in order: workloads leave the mesh, then the control plane ends. Never throws. */
  async stop(progress: (left: number) => void): Promise<void> {
    this.#stopping = true;
    for (const timer of this.#timers) {
      timer.cancel();
    }
    let left = this.#workloads.size;
    progress(left);
    await Promise.all(
      [...this.#workloads.values()].map(async (workload) => {
        await workload.leave();
        left -= 1;
        progress(left);
      }),
    );
    await this.#controlPlane?.stop(this.#clock, controlPlaneStopMs);
    this.#api?.close();
    this.#guard.close();
    for (const log of this.#logs.values()) {
      log.close();
    }
  }

  async #startWorkload(spec: WorkloadSpec): Promise<void> {
    await this.startCommandOf(await this.startSidecarOf(spec));
  }

  /** Does `work` after a while, and again after a longer while if it fails. */
  #again(name: string, work: () => Promise<void>): void {
    const backoff = this.#backoffs.get(name) ?? new Backoff(restartBase);
    this.#backoffs.set(name, backoff);
    const timer = this.#clock.setTimeout(() => {
      this.#timers.delete(timer);
      if (this.#stopping) {
        return;
      }
      work().then(
        () => backoff.reset(),
        (error: unknown) => {
          if (!this.#stopping) {
            this.#say(`${name} cannot be started: ${MeshError.from(error).message}`);
            this.#again(name, work);
          }
        },
      );
    }, backoff.nextDelayMs());
    this.#timers.add(timer);
  }

  #logOf(name: string): CappedLog {
    const existing = this.#logs.get(name);
    if (existing !== undefined) {
      return existing;
    }
    const log = new CappedLog(join(this.#context.state.logs, `${name}.log`));
    this.#logs.set(name, log);
    return log;
  }

  #host(): WorkloadHost {
    // The API changes when the control plane was started again: look it up at each use.
    const mesh = this;
    return {
      get api() {
        return mesh.api;
      },
      clock: this.#clock,
      paths: this.#context.paths,
      guard: this.#guard,
      env: this.#context.terminal.env,
      version: this.#context.version,
      runFolder: this.#context.state.workloadFolder,
      output: 'pipe',
      input: 'ignore',
      drainTimeoutMs: 2_000,
      say: (workload, line) => this.#say(`${workload}: ${line}`),
    };
  }
}
