import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '@weft/testkit';

const main = join(import.meta.dirname, '../src/main.ts');

export const freePorts = ['--api-port', '0', '--xds-port', '0', '--join-port', '0', '--page-port', '0'] as const;

/** What a finished command left. */
export interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A command that runs. */
export interface Running {
  readonly child: ChildProcess;
  /** Both streams so far. */
  text(): string;
  /** Until the text matches. */
  saw(pattern: RegExp): Promise<RegExpMatchArray>;
  readonly ended: Promise<Result>;
}

/** A state folder of its own, and the real CLI in it. */
export class Home {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'weft-cli-test-'));
  readonly #running = new Set<ChildProcess>();

  start(args: readonly string[], options: { readonly input?: string } = {}): Running {
    const { KUBECONFIG: _, ...env } = process.env;
    const child = spawn(process.execPath, [main, ...args], {
      cwd: this.folder,
      env: { ...env, WEFT_HOME: join(this.folder, 'state'), NO_COLOR: '1' },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    child.stdin.end(options.input ?? '');
    this.#running.add(child);
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      err += chunk.toString();
    });
    const ended = new Promise<Result>((resolve) => {
      child.once('close', (code, signal) => {
        this.#running.delete(child);
        resolve({ code: code ?? (signal === null ? -1 : 128), out, err });
      });
    });
    const text = (): string => out + err;
    return {
      child,
      text,
      ended,
      async saw(pattern) {
        try {
          return await eventually(() => text().match(pattern), { what: `${pattern}`, timeoutMs: 40_000 });
        } catch (error) {
          throw new Error(`weft ${args.join(' ')} did not print ${pattern}:\n${text()}`, { cause: error });
        }
      },
    };
  }

  weft(...args: readonly string[]): Promise<Result> {
    return this.start(args).ended;
  }

  weftInput(input: string, ...args: readonly string[]): Promise<Result> {
    return this.start(args, { input }).ended;
  }

  /** Ends what a failed test left, then the mesh, and removes the folder. */
  async close(): Promise<void> {
    const left = [...this.#running];
    for (const child of left) {
      child.kill('SIGTERM');
    }
    await Promise.all(
      left.map((child) =>
        child.exitCode === null ? new Promise((resolve) => child.once('close', resolve)) : undefined,
      ),
    );
    await this.weft('down');
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A GET by an HTTP proxy, or straight. */
export function fetchText(
  url: string,
  proxyPort?: number,
): Promise<{ readonly status: number; readonly text: string }> {
  const target = new URL(url);
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: '127.0.0.1',
        port: proxyPort ?? target.port,
        path: proxyPort === undefined ? `${target.pathname}${target.search}` : url,
        headers: { host: target.host },
        agent: false,
        timeout: 5_000,
      },
      (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => {
          text += chunk.toString();
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
        response.on('error', reject);
      },
    );
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in time')));
    outgoing.on('error', reject);
    outgoing.end();
  });
}

/** Process ids whose command line holds `text`, by the system's own table. */
export async function processesWith(text: string): Promise<number[]> {
  const child = spawn('ps', ['-eo', 'pid=,args='], { stdio: ['ignore', 'pipe', 'inherit'] });
  let table = '';
  child.stdout.on('data', (chunk: Buffer) => {
    table += chunk.toString();
  });
  await new Promise((resolve) => child.once('close', resolve));
  const lines = table.split('\n').filter((line) => line.includes(text));
  return lines.map((line) => Number.parseInt(line, 10));
}

export function assertOk(result: Result): Result {
  assert.equal(result.code, 0, `${result.out}\n${result.err}`);
  return result;
}
