/**
 * Read buffers of connections that carry bulk data: what was read into one is written to the other side from there, without a
 * copy. All other connections read into one shared buffer, so that an idle connection holds none.
 */

/** Size of one buffer, bytes: as large as one read may be. With a quarter of it a byte costs a third more CPU: wake-ups of the receiver. */
export const bulkBufferBytes: number = 512 * 1024;

/** Buffers that connections may hold or have under way at a time; who gets none copies. */
export const maxBulkBuffers = 16;

/** Buffers kept for reuse; more are left to the garbage collector. */
const maxFreeBuffers = 4;

const free: Buffer[] = [];
let taken = 0;

/** @returns undefined when as many as may be are taken. */
export function takeBulkBuffer(): Buffer | undefined {
  if (taken >= maxBulkBuffers) {
    return undefined;
  }
  taken += 1;
  return free.pop() ?? Buffer.allocUnsafeSlow(bulkBufferBytes);
}

/** Gives back a buffer that `takeBulkBuffer` gave; nobody may use it any more. */
export function releaseBulkBuffer(buffer: Buffer): void {
  taken -= 1;
  if (free.length < maxFreeBuffers) {
    free.push(buffer);
  }
}
