import type { Clock, Logger, Timer } from '@weft/base';
import { renewalTime } from '@weft/identity';
import { type CertificateAuthority, type IssuedKeyPair, writePrivateFile } from '@weft/identity/authority';
import { formatKubeconfig } from '../home/kubeconfig.ts';

const ttlMs = 7 * 24 * 3_600_000;
const longestWaitMs = 3_600_000;

/** The kubeconfig of the user who started the mesh: an administrator, by client certificate. */
export interface KubeconfigFileOptions {
  readonly path: string;
  readonly user: string;
  readonly server: string;
  readonly ca: CertificateAuthority;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Writes the kubeconfig (0600) and writes it again before its certificate expires. */
export class KubeconfigFile {
  readonly #options: KubeconfigFileOptions;
  #issued: IssuedKeyPair | undefined;
  #timer: Timer | undefined;
  #closed = false;

  private constructor(options: KubeconfigFileOptions) {
    this.#options = options;
  }

  /** @throws MeshError `PERMISSION_DENIED`, `DISK_FULL`. */
  static async write(options: KubeconfigFileOptions): Promise<KubeconfigFile> {
    const file = new KubeconfigFile(options);
    await file.#write();
    file.#schedule();
    return file;
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  async #write(): Promise<void> {
    const { path, user, server, ca } = this.#options;
    const issued = await ca.issueClient(user, ['system:masters'], ttlMs);
    const text = formatKubeconfig({
      server,
      user,
      trustBundle: ca.trustBundle.value.pem,
      certificate: issued.chainPem,
      key: issued.key.revealPem(),
    });
    await writePrivateFile(path, text);
    this.#issued = issued;
  }

  #schedule(): void {
    const { clock, logger } = this.#options;
    const look = async (): Promise<void> => {
      if (this.#issued === undefined || clock.now() >= renewalTime(this.#issued, 0)) {
        await this.#write();
      }
    };
    this.#timer = clock.setTimeout(
      () => {
        look()
          .catch((error: unknown) => logger.error('kubeconfig could not be renewed', { error }))
          .finally(() => {
            if (!this.#closed) {
              this.#schedule();
            }
          });
      },
      longestWaitMs,
      { unref: true },
    );
  }
}
