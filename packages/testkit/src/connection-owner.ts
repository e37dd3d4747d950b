import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/**
 * The command lines of the processes that hold the local end of a TCP connection over IPv4 on this machine; empty when it is gone.
 * @param localPort of that end.
 */
export function connectionOwners(localPort: number): readonly string[] {
  const wanted = `:${localPort.toString(16).toUpperCase().padStart(4, '0')}`;
  const inodes = new Set(
    readFileSync('/proc/net/tcp', 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[1]?.endsWith(wanted))
      .map((fields) => `socket:[${fields[9]}]`),
  );
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && descriptors(name).some((target) => inodes.has(target)))
    .map((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' '));
}

function descriptors(pid: string): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
  } catch {
    // It has ended, or is somebody else's.
    return [];
  }
}
