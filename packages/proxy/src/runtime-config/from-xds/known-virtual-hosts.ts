import { hash } from 'node:crypto';
import type { RouteTable, VirtualHost } from '../config.ts';

/**
 * The virtual hosts of the route configurations that are in use, by the hash of their bytes, so that a new version of a route
 * configuration shares with the one before what did not change: nothing of it is decoded, checked or compiled again.
 */
export class KnownVirtualHosts {
  readonly #latest = new Map<string, WeakRef<RouteTable>>();
  readonly #hosts = new WeakMap<RouteTable, ReadonlyMap<string, VirtualHost>>();

  /** The hosts of the latest version of `table`; a limit of bodies that differs makes others of them. */
  of(table: string): ReadonlyMap<string, VirtualHost> | undefined {
    const latest = this.#latest.get(table)?.deref();
    return latest === undefined ? undefined : this.#hosts.get(latest);
  }

  /** Remembers what `table` was made of for as long as somebody uses it. */
  remember(table: RouteTable, hosts: ReadonlyMap<string, VirtualHost>): void {
    for (const [name, ref] of this.#latest) {
      if (ref.deref() === undefined) {
        this.#latest.delete(name);
      }
    }
    this.#latest.set(table.name, new WeakRef(table));
    this.#hosts.set(table, hosts);
  }
}

/** Names the bytes of a virtual host together with what else decides how they are read. */
export function virtualHostKey(bytes: Uint8Array, maxBodyBytes: number): string {
  return `${maxBodyBytes}:${hash('sha256', bytes, 'base64url')}`;
}
