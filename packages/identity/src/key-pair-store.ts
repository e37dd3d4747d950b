import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Clock, type Logger, MeshError } from '@weft/base';
import { splitPem } from './pem.ts';
import { PrivateKey } from './redacted.ts';
import type { SpiffeId } from './spiffe-id.ts';
import { createSvid, type Svid } from './svid.ts';

/**
 * The key and certificate of a workload on disk, for a start without the control plane. One file, which only its owner may
 * read; one, because two could be of two different renewals after a crash.
 */
export class KeyPairStore {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #logger: Logger;

  /** @param path of the file; its folder is made when it is missing. */
  constructor(path: string, clock: Clock, logger: Logger) {
    this.#path = path;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** The stored pair if it is of `id` and still valid; else undefined. */
  load(id: SpiffeId): Svid | undefined {
    let text: string;
    try {
      this.#closeToOthers();
      text = readFileSync(this.#path, 'utf8');
    } catch (thrown) {
      if (MeshError.from(thrown).code !== 'NOT_FOUND') {
        this.#logger.warn('the stored certificate cannot be read', { path: this.#path, error: thrown });
      }
      return undefined;
    }
    try {
      const [keyPem = ''] = splitPem(text, 'PRIVATE KEY');
      const svid = createSvid(splitPem(text, 'CERTIFICATE'), PrivateKey.fromPem(keyPem));
      if (svid.spiffeId === id && svid.notAfter > this.#clock.now() && svid.notBefore <= this.#clock.now()) {
        return svid;
      }
      this.#logger.info('the stored certificate is not used', { spiffeId: svid.spiffeId, notAfter: svid.notAfter });
    } catch (thrown) {
      this.#logger.warn('the stored certificate is damaged', { path: this.#path, error: thrown });
    }
    return undefined;
  }

  /** A copy or a restored backup may have lost the mode; whoever could read the key until now is not known. */
  #closeToOthers(): void {
    const mode = statSync(this.#path).mode & 0o777;
    if ((mode & 0o077) !== 0) {
      this.#logger.warn('the private key was open to others; it is closed now, renew it if they are not trusted', {
        path: this.#path,
        mode: mode.toString(8),
      });
      chmodSync(this.#path, 0o600);
    }
  }

  /** Replaces the file at once; a reader sees the old or the new pair. Throws `MeshError` when the disk does not take it. */
  save(svid: Svid): void {
    const temporary = `${this.#path}.${process.pid}.tmp`;
    try {
      mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
      writeFileSync(temporary, `${svid.key.revealPem().trimEnd()}\n${svid.chainPem}`, { mode: 0o600 });
      // The mode above holds for new files only.
      chmodSync(temporary, 0o600);
      renameSync(temporary, this.#path);
    } catch (thrown) {
      rmSync(temporary, { force: true });
      throw MeshError.from(thrown);
    }
  }
}
