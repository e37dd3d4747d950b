import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { checkServerIdentity } from 'node:tls';
import { type AgentParts, type AgentProgram, CertificateKeeper, PrivateSocket } from '@weft/agent';
import { MeshError } from '@weft/base';
import type { Svid } from '@weft/identity';
import type { ClientCredentials } from '@weft/xds-client';
import { Admin } from './admin.ts';
import { CertificateFiles } from './certificate-files.ts';
import { grpcBootstrap } from './grpc-bootstrap.ts';
import { RootsWatch } from './roots-watch.ts';
import { XdsRelay } from './xds-relay.ts';

/** File in the run folder that `GRPC_XDS_BOOTSTRAP` of the workload names. */
const bootstrapFileName = 'grpc-bootstrap.json';

type TlsCredentials = Extract<ClientCredentials, { readonly kind: 'tls' }>['tls'];

/** What a workload without a proxy needs for its gRPC library to be one: an identity that is renewed, the roots, a way to the control plane. */
export class GrpcAgent implements AgentProgram {
  readonly #parts: AgentParts;
  readonly #files: CertificateFiles;
  readonly #socket: PrivateSocket;
  readonly #keeper: CertificateKeeper;
  readonly #relay: XdsRelay;
  readonly #roots: RootsWatch;
  readonly #admin: Admin;
  readonly #bootstrapFile: string;
  /** Those of the join, which are trusted from the beginning. */
  readonly #firstRoots: string;
  #svid: Svid | undefined;
  #rootsPem: string | undefined;

  constructor(parts: AgentParts) {
    const { bootstrap, clock, logger, random } = parts;
    this.#parts = parts;
    this.#bootstrapFile = join(bootstrap.stateDir, bootstrapFileName);
    this.#firstRoots = readFileSync(bootstrap.identity.trustBundleFile, 'utf8');
    this.#files = new CertificateFiles(bootstrap.stateDir);
    this.#socket = new PrivateSocket(bootstrap.stateDir, 'xds.sock');
    this.#keeper = new CertificateKeeper({ bootstrap, clock, logger, random });
    const { address } = bootstrap.xds;
    this.#relay = new XdsRelay({
      address,
      credentials: () => this.#credentials(),
      logger: logger.with({ part: 'relay' }),
    });
    this.#roots = new RootsWatch({
      node: bootstrap.node,
      address,
      credentials: () => ({ kind: 'tls', tls: this.#credentials() }),
      clock,
      logger: logger.with({ part: 'xds' }),
      random,
      onRoots: (pem) => {
        this.#rootsPem = pem;
        this.#files.writeRoots(pem);
      },
    });
    this.#admin = new Admin(() => this.#rootsPem !== undefined);
  }

  /** @throws MeshError when there is no identity to be had or a socket cannot be bound. */
  async start(): Promise<{ readonly ended: Promise<never> }> {
    const { bootstrap } = this.#parts;
    await this.#admin.listen(bootstrap.admin.address, bootstrap.admin.port);
    this.#keeper.svid.subscribe((svid) => {
      if (svid !== undefined) {
        this.#svid = svid;
        this.#files.writeSvid(svid);
      }
    });
    await this.#keeper.start();
    this.#files.writeRoots(this.#firstRoots);
    await this.#socket.bind((path) => this.#relay.listen(path));
    const text = JSON.stringify(grpcBootstrap(bootstrap, this.#socket.path, this.#files.paths), undefined, 2);
    writeFileSync(this.#bootstrapFile, `${text}\n`, { mode: 0o600 });
    await this.#roots.start();
    return { ended: new Promise(() => {}) };
  }

  async stop(): Promise<void> {
    this.#keeper.close();
    this.#roots.close();
    this.#relay.close();
    this.#admin.close();
    this.#socket.remove();
    this.#files.remove();
    rmSync(this.#bootstrapFile, { force: true });
  }

  /** To the control plane: the name in its certificate is checked, so that no workload can pose as it. */
  #credentials(): TlsCredentials {
    const { xds } = this.#parts.bootstrap;
    const svid = this.#svid;
    if (svid === undefined) {
      throw new MeshError('UNAVAILABLE', 'there is no certificate yet');
    }
    const name = xds.serverName ?? xds.address.host;
    return {
      ca: `${this.#firstRoots}\n${this.#rootsPem ?? ''}`,
      cert: svid.chainPem,
      key: svid.key.revealPem(),
      ...(isIP(name) === 0 ? { servername: name } : {}),
      checkServerIdentity: (_, certificate) => checkServerIdentity(name, certificate),
    };
  }
}
