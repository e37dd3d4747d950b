import { join } from 'node:path';
import { type AgentParts, type AgentProgram, CertificateKeeper } from '@weft/agent';
import { envoyBootstrap } from './envoy-bootstrap.ts';
import { type EnvoyEnd, EnvoyProcess } from './envoy-process.ts';
import { SecretServer } from './secret-server.ts';
import { TruncatingLog } from './truncating-log.ts';

export interface AgentOptions extends AgentParts {
  /** Path of Envoy, see `findEnvoy`. */
  readonly envoy: string;
}

const stopGraceMs = 5_000;

/** Envoy with what it needs around it: identity, key pair by SDS, bootstrap. When Envoy ends, the agent is done. */
export class Agent implements AgentProgram {
  readonly #options: AgentOptions;
  #keeper: CertificateKeeper | undefined;
  #secrets: SecretServer | undefined;
  #envoy: EnvoyProcess | undefined;
  #log: TruncatingLog | undefined;

  constructor(options: AgentOptions) {
    this.#options = options;
  }

  /** @throws MeshError when there is no identity to be had or Envoy cannot be started. */
  async start(): Promise<{ readonly ended: Promise<EnvoyEnd & { readonly lastLines: readonly string[] }> }> {
    const { bootstrap, envoy, clock, logger, random } = this.#options;
    const secrets = await SecretServer.start({ folder: bootstrap.stateDir, clock, logger });
    this.#secrets = secrets;
    const keeper = new CertificateKeeper({ bootstrap, clock, logger, random });
    this.#keeper = keeper;
    keeper.svid.subscribe((svid) => {
      if (svid !== undefined) {
        secrets.publish(svid);
      }
    });
    await keeper.start();
    const log = new TruncatingLog(join(bootstrap.stateDir, 'envoy.log'), clock);
    this.#log = log;
    this.#envoy = await EnvoyProcess.start({
      program: envoy,
      folder: bootstrap.stateDir,
      bootstrap: envoyBootstrap(bootstrap, { secretSocket: secrets.socket }),
      concurrency: bootstrap.concurrency,
      output: log.descriptor,
      logger,
    });
    const ended = this.#envoy.ended.then((end) => ({ ...end, lastLines: log.lastLines(3) }));
    return { ended };
  }

  /** Ends Envoy, politely first, and removes the socket. */
  async stop(): Promise<void> {
    this.#keeper?.close();
    const envoy = this.#envoy;
    if (envoy !== undefined) {
      envoy.signal('SIGTERM');
      const timer = this.#options.clock.setTimeout(() => envoy.signal('SIGKILL'), stopGraceMs);
      await envoy.ended;
      timer.cancel();
    }
    this.#secrets?.close();
    this.#log?.close();
  }
}
