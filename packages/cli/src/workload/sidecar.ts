import { request } from 'node:http';
import { Backoff, type Clock, MeshError, type Timer } from '@weft/base';
import { CappedLog, lastLines, readableLogLine } from '../platform/capped-log.ts';
import { type ChildEnd, ChildProgram } from '../platform/child-program.ts';
import type { OrphanGuard } from '../platform/orphan-guard.ts';
import type { Engine } from './workload-spec.ts';

/** How a sidecar is started and watched. */
export interface SidecarOptions {
  readonly engine: Engine;
  /** The program: `dist/proxy.js` or `dist/envoy-agent.js`. */
  readonly program: string;
  readonly bootstrapFile: string;
  readonly logFile: string;
  readonly adminPort: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly guard: OrphanGuard;
  readonly clock: Clock;
  /** Called before each restart: the join token of the start before is used up. Best effort. */
  readonly onRestart: () => Promise<void>;
  /** One line for the person who watches. */
  readonly say: (line: string) => void;
}

const readyPollMs = 50;
const restartResetMs = 60_000;
const startStopGraceMs = 2_000;
/** Our programs end with this when what they were given is not right: starting them again does not mend it. */
const badConfigurationExit = 2;

/** The sidecar of one workload: one process, started again with back-off when it ends by itself. */
export class Sidecar {
  readonly #options: SidecarOptions;
  readonly #log: CappedLog;
  readonly #backoff = new Backoff({ baseMs: 500, maxMs: 15_000 });
  #child: ChildProgram | undefined;
  #restartTimer: Timer | undefined;
  #stopping = false;

  constructor(options: SidecarOptions) {
    this.#options = options;
    this.#log = new CappedLog(options.logFile);
  }

  /** Process id; undefined while it is down. */
  get pid(): number | undefined {
    return this.#child?.end === undefined ? this.#child?.pid : undefined;
  }

  async start(): Promise<void> {
    const options = this.#options;
    const startedMs = options.clock.monotonicMs();
    const child = await ChildProgram.start(`${options.engine} sidecar`, {
      file: process.execPath,
      args: [...nodeFlags, options.program, '--bootstrap', options.bootstrapFile],
      env: options.env,
      output: 'pipe',
      guard: options.guard,
    });
    this.#child = child;
    if (this.#stopping) {
      // Told to stop while it was being started.
      await child.stop(options.clock, startStopGraceMs);
      return;
    }
    this.#log.follow(child.stdout);
    this.#log.follow(child.stderr);
    void child.ended.then((end) => this.#ended(end, startedMs));
  }

  /**
   * Waits until its listeners are up and it has its configuration.
   * @throws MeshError `CHILD_FAILED` with the end of its log when it ended, `TIMEOUT` when it is not ready in time.
   */
  async waitReady(timeoutMs: number): Promise<void> {
    const { clock, adminPort } = this.#options;
    const deadline = clock.monotonicMs() + timeoutMs;
    for (;;) {
      if (await answersReady(adminPort)) {
        return;
      }
      const end = this.#child?.end;
      if (end !== undefined && end.code === badConfigurationExit) {
        throw this.#failed('CHILD_FAILED', `the sidecar ended with code ${end.code} before it was ready`);
      }
      if (this.#stopping || clock.monotonicMs() > deadline) {
        throw this.#failed('TIMEOUT', `the sidecar was not ready after ${Math.round(timeoutMs / 1000)} s`);
      }
      await new Promise<void>((resolve) => void clock.setTimeout(resolve, readyPollMs));
    }
  }

  /** Takes no new connections from peers and lets what is in flight finish; outbound goes on. Best effort. */
  async drain(timeoutMs: number): Promise<void> {
    const { adminPort, clock, engine } = this.#options;
    if (engine === 'weft') {
      // Answers when inbound is idle.
      await post(adminPort, '/drain', timeoutMs);
      return;
    }
    // Envoy answers at once and tells by its gauges when it is idle.
    await post(adminPort, '/drain_listeners?inboundonly&graceful&skip_exit', timeoutMs);
    const deadline = clock.monotonicMs() + timeoutMs;
    while (clock.monotonicMs() < deadline && (await inboundActive(adminPort)) > 0) {
      await new Promise<void>((resolve) => void clock.setTimeout(resolve, readyPollMs));
    }
  }

  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    this.#restartTimer?.cancel();
    await this.#child?.stop(this.#options.clock, graceMs);
    this.#log.close();
  }

  #failed(code: 'CHILD_FAILED' | 'TIMEOUT', message: string): MeshError {
    const said = lastLines(this.#options.logFile, 3).map(readableLogLine).join('\n');
    return new MeshError(code, said === '' ? message : `${message}; it said last:\n${said}`, {
      details: { where: this.#options.logFile },
    });
  }

  #ended(end: ChildEnd, startedMs: number): void {
    if (this.#stopping) {
      return;
    }
    const { clock, say, engine } = this.#options;
    if (clock.monotonicMs() - startedMs > restartResetMs) {
      this.#backoff.reset();
    }
    const delayMs = this.#backoff.nextDelayMs();
    say(
      `the ${engine} sidecar ended (${end.signal ?? `code ${end.code}`}); it is started again in ${(delayMs / 1000).toFixed(1)} s`,
    );
    this.#restartTimer = clock.setTimeout(() => {
      void this.#restart();
    }, delayMs);
  }

  async #restart(): Promise<void> {
    await this.#options.onRestart().catch(() => {});
    if (this.#stopping) {
      return;
    }
    try {
      await this.start();
    } catch (error) {
      this.#options.say(`the sidecar cannot be started: ${MeshError.from(error).message}`);
      this.#ended({ code: 1, signal: null }, this.#options.clock.monotonicMs());
    }
  }
}

/**
 * Node's own start-up flags for our programs: the heap follows what is used instead of growing first. One helper thread compiles, so that requests
 * do not wait for it (2 to 5 ms a function); collections need none.
 */
const nodeFlags = [
  '--max-semi-space-size=2',
  '--single-threaded-gc',
  '--v8-pool-size=1',
  '--no-maglev',
  '--disable-warning=ExperimentalWarning',
];

async function answersReady(port: number): Promise<boolean> {
  return (await ask(port, 'GET', '/ready', 2_000))?.status === 200;
}

async function post(port: number, path: string, timeoutMs: number): Promise<void> {
  await ask(port, 'POST', path, timeoutMs);
}

/** Requests and TCP connections that peers have open with Envoy; 0 when it does not answer. */
async function inboundActive(port: number): Promise<number> {
  const filter = encodeURIComponent('^(http|tcp)\\.inbound.*downstream_(rq|cx)_active$');
  const answer = await ask(port, 'GET', `/stats?filter=${filter}`, 2_000);
  const gauges = [...(answer?.body ?? '').matchAll(/^(http|tcp)\..*downstream_(rq|cx)_active: (\d+)$/gm)];
  return (
    gauges
      // Idle HTTP connections are no reason to wait.
      .filter(([, protocol, what]) => (protocol === 'http' ? what === 'rq' : what === 'cx'))
      .reduce((sum, [, , , value]) => sum + Number(value), 0)
  );
}

/** One request to the admin API; undefined when it does not answer. */
function ask(
  port: number,
  method: 'GET' | 'POST',
  path: string,
  timeoutMs: number,
): Promise<{ readonly status: number; readonly body: string } | undefined> {
  return new Promise((resolve) => {
    const outgoing = request(
      { host: '127.0.0.1', port, path, method, timeout: timeoutMs, agent: false },
      (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          body += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
        response.on('error', () => resolve(undefined));
      },
    );
    outgoing.on('timeout', () => outgoing.destroy());
    outgoing.on('error', () => resolve(undefined));
    outgoing.end();
  });
}
