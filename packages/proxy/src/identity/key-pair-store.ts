import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, type Logger, MeshError } from '@weft/base';
import { createSvid, PrivateKey, type SpiffeId, type Svid, splitPem } from '@weft/identity';

const FILE = 'key-pair.pem';

/**
 * The key and certificate of the proxy on disk, for a start without the control plane. One file, because two could be
 * of two different renewals after a crash.
 */
export class KeyPairStore {
  readonly #path: string;
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #logger: Logger;

  constructor(stateDir: string, clock: Clock, logger: Logger) {
    this.#folder = stateDir;
    this.#path = join(stateDir, FILE);
    this.#clock = clock;
    this.#logger = logger;
  }

  /** The stored pair if it is of `id` and still valid; else undefined. */
  load(id: SpiffeId): Svid | undefined {
    let text: string;
    try {
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

  /** Replaces the file at once; a reader sees the old or the new pair. Throws `MeshError` when the disk does not take it. */
  save(svid: Svid): void {
    const temporary = `${this.#path}.${process.pid}.tmp`;
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
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
