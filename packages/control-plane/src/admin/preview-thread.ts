import { parentPort, workerData } from 'node:worker_threads';
import { invariant, MeshError } from '@weft/base';
import type { KubeObject } from '@weft/resources';
import { type MeshSettings, MeshState } from '@weft/translate';
import { parsePreview, previewChange } from './preview.ts';

/** What the thread is started with. */
export interface PreviewTask {
  /** Of the request. */
  readonly body: Uint8Array;
  readonly settings: Omit<MeshSettings, 'accessLogPath'>;
  /** The same for all proxies. */
  readonly accessLogPath: string | undefined;
  readonly disconnected: readonly string[];
  /** By Proxy. */
  readonly observed: ReadonlyMap<string, readonly string[]>;
}

/** Comes after the start: objects of the mesh, in as many pieces as there are, then the end of them. */
export type PreviewInput = readonly KubeObject[] | 'end';

/** Comes back, once. `changes`: the answer to the request, JSON. */
export type PreviewResult =
  | { readonly changes: Uint8Array<ArrayBuffer> }
  | { readonly error: Pick<MeshError, 'code' | 'message'> };

const port = parentPort;
invariant(port !== null, 'this is the program of a thread');
const { body, settings, accessLogPath, disconnected, observed } = workerData as PreviewTask;
const state = new MeshState({ ...settings, accessLogPath: () => accessLogPath });

function answer(): PreviewResult {
  try {
    const objects = parsePreview(body);
    for (const key of disconnected) {
      state.setProxyConnected(key, false);
    }
    const changes = previewChange(state, (key) => observed.get(key) ?? [], objects);
    return { changes: new TextEncoder().encode(JSON.stringify({ changes })) };
  } catch (thrown) {
    const { code, message } = MeshError.from(thrown);
    if (code !== 'INVALID') {
      // A defect: its owner reports it with the stack.
      throw thrown;
    }
    return { error: { code, message } };
  }
}

port.on('message', (input: PreviewInput) => {
  if (input !== 'end') {
    state.apply(input.map((value) => ({ value })));
    return;
  }
  const result = answer();
  port.postMessage(result, 'changes' in result ? [result.changes.buffer] : []);
  port.close();
});
