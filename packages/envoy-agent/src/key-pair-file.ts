import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSvid, PrivateKey, type SpiffeId, type Svid, splitPem } from '@weft/identity';

/** Key and certificate chain of the workload, in one private file, so that a restart needs no control plane. */
export class KeyPairFile {
  readonly #path: string;

  constructor(stateDir: string) {
    this.#path = join(stateDir, 'envoy-key-pair.pem');
  }

  /** undefined when there is none that is of `id` and valid at `nowMs`. */
  load(id: SpiffeId, nowMs: number): Svid | undefined {
    try {
      const text = readFileSync(this.#path, 'utf8');
      const [keyPem = ''] = splitPem(text, 'PRIVATE KEY');
      const svid = createSvid(splitPem(text, 'CERTIFICATE'), PrivateKey.fromPem(keyPem));
      return svid.spiffeId === id && svid.notBefore <= nowMs && nowMs < svid.notAfter ? svid : undefined;
    } catch {
      return undefined;
    }
  }

  /** @throws the system's error when the file cannot be written. */
  save(svid: Svid): void {
    const temporary = `${this.#path}.new`;
    writeFileSync(temporary, svid.key.revealPem() + svid.chainPem, { mode: 0o600 });
    renameSync(temporary, this.#path);
  }
}
