import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Svid } from '@weft/identity';

/** The workload's certificate, key and roots as files for its gRPC library; only their owner can read them. */
export class CertificateFiles {
  readonly paths: { readonly certificate: string; readonly privateKey: string; readonly roots: string };

  /** @param folder the private folder of the workload. */
  constructor(folder: string) {
    this.paths = {
      certificate: join(folder, 'grpc-certificate.pem'),
      privateKey: join(folder, 'grpc-private-key.pem'),
      roots: join(folder, 'grpc-roots.pem'),
    };
  }

  writeSvid(svid: Svid): void {
    // The key first: a reader that sees the new certificate finds its key there.
    write(this.paths.privateKey, svid.key.revealPem());
    write(this.paths.certificate, svid.chainPem);
  }

  writeRoots(pem: string): void {
    write(this.paths.roots, pem);
  }

  remove(): void {
    for (const path of Object.values(this.paths)) {
      rmSync(path, { force: true });
    }
  }
}

/** A reader never sees half of it. */
function write(path: string, text: string): void {
  const temporary = `${path}.new`;
  writeFileSync(temporary, text, { mode: 0o600 });
  renameSync(temporary, path);
}
