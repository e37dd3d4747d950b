import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';

/** Programs that tests run against. */
export type PeerName =
  | 'envoy'
  | 'curl'
  | 'openssl'
  | 'python3'
  | 'kubectl'
  | 'chromium'
  | 'tcpdump'
  | 'nginx'
  | 'haproxy'
  | 'wrk'
  | 'h2load'
  | 'iperf3'
  | 'taskset'
  | 'redis-server'
  | 'redis-cli'
  | 'redis-benchmark'
  | 'postgres'
  | 'initdb'
  | 'psql'
  | 'pgbench';

const toolsBin = resolve(import.meta.dirname, '../../../.tools/bin');

/**
 * Where a peer is: by the variable `WEFT_<NAME>`, in `.tools/bin` (pinned, installed by `npm test`), or on PATH.
 * Undefined when this machine has none; the test then skips with {@link peerSkip}, loudly.
 */
export function findPeer(name: PeerName): string | undefined {
  const told = process.env[`WEFT_${name.toUpperCase()}`];
  const folders = [toolsBin, ...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  const candidates = [...(told === undefined ? [] : [told]), ...folders.map((folder) => join(folder, name))];
  return candidates.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** The `skip` option of a test that needs `names`: false when all are there, otherwise the reason. */
export function peerSkip(...names: readonly PeerName[]): string | false {
  const missing = names.filter((name) => findPeer(name) === undefined);
  return missing.length === 0 ? false : `peer missing: ${missing.join(', ')}`;
}

/** A Python with gRPC (Debian's `python3-grpcio`), and the `skip` option of a test that needs it. */
export function grpcPython(): { readonly python: string; readonly skip: string | false } {
  const python = [process.env['WEFT_PYTHON3'], '/usr/bin/python3', 'python3'].find(
    (path) => path !== undefined && spawnSync(path, ['-c', 'import grpc']).status === 0,
  );
  return { python: python ?? '', skip: python === undefined ? 'peer missing: python3-grpcio' : false };
}

/** Folder of the public conformance data, and the `skip` option of a test that needs `part` of it. */
export function conformanceData(part: string): { readonly folder: string; readonly skip: string | false } {
  const root = process.env['WEFT_CONFORMANCE_DATA'] ?? resolve(import.meta.dirname, '../../../../shared/conformance');
  const folder = join(root, part);
  try {
    accessSync(folder, constants.R_OK);
    return { folder, skip: false };
  } catch {
    return { folder, skip: `conformance data missing: ${folder}` };
  }
}
