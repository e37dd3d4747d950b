import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { findPeer, run } from '@weft/testkit';
import { startApi, type TestServer } from './api.ts';

/** Runs kubectl against a server of its own. */
export interface Kubectl {
  readonly api: TestServer;
  /** Runs kubectl; the text of both streams. @throws AssertionError when it does not end with `code`. */
  (
    args: string,
    options?: { readonly code?: number; readonly env?: Readonly<Record<string, string>> },
  ): Promise<string>;
  file(name: string, content: unknown): Promise<string>;
}

/** A server and a kubectl that is logged in to it. */
export async function kubectl(t: TestContext): Promise<Kubectl> {
  const api = await startApi(t);
  const kubeconfig = await api.kubeconfig();
  const program = findPeer('kubectl') ?? 'kubectl';
  const call = async (
    args: string,
    { code = 0, env = {} }: { readonly code?: number; readonly env?: Readonly<Record<string, string>> } = {},
  ): Promise<string> => {
    const finished = await run(program, args.split(' '), {
      env: { PATH: process.env['PATH'] ?? '', HOME: api.folder, KUBECONFIG: kubeconfig, ...env },
    });
    const text = `${finished.stdout}${finished.stderr}`;
    assert.equal(finished.code, code, `kubectl ${args}: ${text}`);
    return text;
  };
  const file = async (name: string, content: unknown): Promise<string> => {
    const path = join(api.folder, name);
    await writeFile(path, JSON.stringify(content));
    return path;
  };
  return Object.assign(call, { api, file });
}
