import type { MeshApi } from '../api/mesh-api.ts';
import { CliFailure, reportFrom } from '../cli-failure.ts';
import type { Context } from '../context.ts';
import { OrphanGuard } from '../platform/orphan-guard.ts';
import { Progress } from '../terminal/progress.ts';
import { Workload } from './workload.ts';
import type { WorkloadSpec } from './workload-spec.ts';

/** How long requests in flight may take when a workload leaves. */
const drainTimeoutMs = 10_000;

export interface ForegroundOptions {
  readonly api: MeshApi;
  /** Who it is in errors: `gateway public`. */
  readonly subject: string;
  /** What its proxy is called in the progress: `sidecar`. */
  readonly proxy: string;
  /** Where the command of the workload reads from. */
  readonly input: 'inherit' | 'ignore';
  /** Neither progress nor words on stderr; errors still come. */
  readonly quiet: boolean;
}

/** The one workload of a CLI command that lasts as long as the command does: its progress and words go to stderr. */
export class ForegroundWorkload {
  readonly workload: Workload;
  readonly #context: Context;
  readonly #options: ForegroundOptions;
  readonly #guard = new OrphanGuard();
  readonly #progress: Progress;

  constructor(context: Context, spec: WorkloadSpec, options: ForegroundOptions) {
    const { terminal, paths, state, version } = context;
    this.#context = context;
    this.#options = options;
    this.#progress = new Progress(terminal);
    this.workload = new Workload(spec, {
      api: options.api,
      clock: terminal.clock,
      paths,
      guard: this.#guard,
      env: terminal.env,
      version,
      runFolder: state.workloadFolder,
      output: 'inherit',
      input: options.input,
      drainTimeoutMs,
      say: (_, line) => this.say(line),
    });
  }

  say(line: string): void {
    if (!this.#options.quiet) {
      const { terminal } = this.#context;
      terminal.err(`${terminal.errStyle.faint('weft:')} ${line}\n`);
    }
  }

  /** Registers the workload and starts its proxy. */
  async join(): Promise<void> {
    const { api, proxy, quiet } = this.#options;
    if (!quiet) {
      this.#progress.start('joining the mesh');
    }
    const { endpoints } = await api.version();
    await this.workload.join(endpoints);
    this.#progress.detail(`waiting for the ${proxy}`);
    await this.workload.startSidecar();
    this.#progress.stop();
  }

  /** Runs `during`; whatever comes of it, the workload has left the mesh afterwards. Throws {@link CliFailure}. */
  async hold(during: () => Promise<void>): Promise<void> {
    try {
      await during();
    } catch (error) {
      throw new CliFailure(reportFrom(error, `${this.#options.subject} did not join the mesh`), error);
    } finally {
      this.#progress.stop();
      await this.workload.leave();
      this.#guard.close();
      this.#options.api.close();
    }
  }
}
