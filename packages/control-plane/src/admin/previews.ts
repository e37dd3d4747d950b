import { Worker } from 'node:worker_threads';
import { MeshError } from '@weft/base';
import type { MeshState } from '@weft/translate';
import type { ObservedHosts } from '../mesh/observed-hosts.ts';
import type { PreviewInput, PreviewResult, PreviewTask } from './preview-thread.ts';

/** Previews that are under way or wait for their turn; more are refused. */
export const maxPreviews = 4;
/** Objects that are handed over before other work has a turn; a piece takes about a millisecond. */
const pieceSize = 100;
const maxThreadMegabytes = 1_024;

/** Beside this file, in the sources as in a build. */
const program = new URL(
  import.meta.url.endsWith('.ts') ? './preview-thread.ts' : './preview-thread.js',
  import.meta.url,
);

/**
 * Previews of changes, one after the other, each in a thread of its own that ends with it: a translation of the whole mesh would keep xDS
 * waiting for as long as it takes.
 */
export class Previews {
  readonly #state: MeshState;
  readonly #observed: ObservedHosts;
  readonly #closed = new AbortController();
  #underWay = 0;
  #last: Promise<void> = Promise.resolve();

  constructor(state: MeshState, observed: ObservedHosts) {
    this.#state = state;
    this.#observed = observed;
  }

  /**
   * What the proxies would be given otherwise if the objects of a request were stored, by the state at its turn.
   * @param body a `PreviewRequest` in JSON.
   * @param signal ends the work: nobody waits for it any more.
   * @returns a `Preview` in JSON.
   * @throws MeshError `INVALID`, `UNAVAILABLE` when too many are under way; the reason of `signal`.
   */
  async run(body: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    if (this.#underWay >= maxPreviews) {
      throw new MeshError('UNAVAILABLE', `${maxPreviews} previews are under way, which is the limit`);
    }
    const { promise: done, resolve } = Promise.withResolvers<void>();
    const before = this.#last;
    this.#last = done;
    this.#underWay += 1;
    try {
      await before;
      return await this.#inThread(body, AbortSignal.any([signal, this.#closed.signal]));
    } finally {
      this.#underWay -= 1;
      resolve();
    }
  }

  close(): void {
    this.#closed.abort(new MeshError('UNAVAILABLE', 'the control plane is stopping'));
  }

  async #inThread(body: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    signal.throwIfAborted();
    const { objects, disconnected } = this.#state.contents();
    const { accessLogPath, ...settings } = this.#state.settings;
    const observed = new Map(this.#state.proxyKeys().map((key) => [key, this.#observed.authorities(key)]));
    const task: PreviewTask = { body, settings, accessLogPath: accessLogPath(''), disconnected, observed };
    const thread = new Worker(program, {
      workerData: task,
      resourceLimits: { maxOldGenerationSizeMb: maxThreadMegabytes },
    });
    try {
      const result = resultOf(thread, signal);
      await Promise.race([result, handOver(thread, objects)]);
      return await result;
    } finally {
      await thread.terminate();
    }
  }
}

async function handOver(thread: Worker, objects: Extract<PreviewInput, readonly unknown[]>): Promise<void> {
  for (let at = 0; at < objects.length; at += pieceSize) {
    thread.postMessage(objects.slice(at, at + pieceSize) satisfies PreviewInput);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  thread.postMessage('end' satisfies PreviewInput);
}

function resultOf(thread: Worker, signal: AbortSignal): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    thread.once('message', (result: PreviewResult) =>
      'changes' in result ? resolve(result.changes) : reject(new MeshError(result.error.code, result.error.message)),
    );
    thread.once('error', reject);
    thread.once('exit', (code) => reject(new MeshError('INTERNAL', `the thread of a preview ended with ${code}`)));
  });
}
