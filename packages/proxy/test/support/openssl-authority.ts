import { execFileSync } from 'node:child_process';
import { hash, X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findPeer } from '@weft/testkit';

const settings = `
[ca]
default_ca = test
[test]
dir = .
database = index.txt
serial = serial
new_certs_dir = .
default_md = sha256
default_days = 2
default_crl_days = 2
policy = any
copy_extensions = copy
[any]
commonName = supplied
`;

/** An authority of the `openssl` program, which can revoke what it issued. Its files are in a folder of its own. */
export class OpensslAuthority {
  readonly name: string;
  readonly #folder: string;

  /** @param issuer Default: it signs itself. */
  constructor(parent: string, name: string, issuer?: OpensslAuthority) {
    this.name = name;
    this.#folder = join(parent, name);
    mkdirSync(this.#folder);
    writeFileSync(this.path('settings'), settings);
    writeFileSync(this.path('index.txt'), '');
    writeFileSync(this.path('serial'), '01');
    const subject = ['-subj', `/CN=${name}`, '-addext', 'keyUsage=critical,keyCertSign,cRLSign'];
    if (issuer === undefined) {
      this.#run('req', '-x509', '-days', '2', ...newKey('ca'), ...subject, '-out', 'ca.pem');
    } else {
      const authority = ['-addext', 'basicConstraints=critical,CA:TRUE'];
      this.#run('req', ...newKey('ca'), ...subject, ...authority, '-out', 'ca.csr');
      issuer.#sign(this.path('ca.csr'), this.path('ca.pem'));
    }
  }

  path(file: string): string {
    return join(this.#folder, file);
  }

  /** The authority's own certificate. */
  get certificate(): string {
    return this.path('ca.pem');
  }

  /** A certificate for a DNS name, in `NAME.pem`, with its key in `NAME.key`. */
  issue(name: string): void {
    const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`];
    this.#run('req', ...newKey(name), ...subject, '-out', `${name}.csr`);
    this.#sign(this.path(`${name}.csr`), this.path(`${name}.pem`));
  }

  revoke(name: string): void {
    this.#run('ca', ...this.#signing(), '-revoke', `${name}.pem`);
  }

  /** Writes what is revoked by now. @param times `YYYYMMDDHHMMSSZ`; default: from now on for two days. */
  writeList(file: string, times?: { readonly from: string; readonly to: string }): string {
    const dated = times === undefined ? [] : ['-crl_lastupdate', times.from, '-crl_nextupdate', times.to];
    this.#run('ca', ...this.#signing(), '-gencrl', ...dated, '-out', file);
    return this.path(file);
  }

  /** Certificate and key as a client or server of Node has them. */
  pair(name: string): { readonly cert: string; readonly key: string } {
    return { cert: this.read(`${name}.pem`), key: this.read(`${name}.key`) };
  }

  read(file: string): string {
    return readFileSync(this.path(file), 'utf8');
  }

  /** SHA-256 of a certificate (hexadecimal) and of its key (base64). */
  hashes(name: string): { readonly certificate: string; readonly key: string } {
    const { raw, publicKey } = new X509Certificate(this.read(`${name}.pem`));
    const spki = publicKey.export({ type: 'spki', format: 'der' });
    return { certificate: hash('sha256', raw, 'hex'), key: hash('sha256', spki, 'base64') };
  }

  #signing(): readonly string[] {
    return ['-config', 'settings', '-cert', 'ca.pem', '-keyfile', 'ca.key', '-batch'];
  }

  #sign(request: string, certificate: string): void {
    this.#run('ca', ...this.#signing(), '-in', request, '-notext', '-out', certificate);
  }

  #run(...args: readonly string[]): void {
    execFileSync(findPeer('openssl') ?? '', args, { cwd: this.#folder, stdio: 'pipe' });
  }
}

function newKey(name: string): readonly string[] {
  return ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${name}.key`];
}
