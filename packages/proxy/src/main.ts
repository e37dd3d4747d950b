/**
 * The proxy as a process: `proxy --bootstrap FILE`. Exit codes: 0 after a drain, 1 when it cannot run, 2 when what it was given
 * is not right (starting it again does not mend that).
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { createLogger, type LeveledLogger, MeshError, systemClock } from '@weft/base';
import packageJson from '../package.json' with { type: 'json' };
import type { Bootstrap } from './bootstrap/bootstrap.ts';
import { parseBootstrap } from './bootstrap/parse-bootstrap.ts';
import { ProxyProcess } from './bootstrap/proxy-process.ts';
import { createDataPlane } from './create-data-plane.ts';

const BAD_CONFIGURATION_EXIT = 2;

const logger = createLogger();
const bootstrap = readBootstrap(logger);
if (bootstrap !== undefined) {
  await run(bootstrap, logger);
}

/** The bootstrap; undefined when there was something wrong with it, which was said. */
function readBootstrap(log: LeveledLogger): Bootstrap | undefined {
  const path = bootstrapPath();
  if (path === undefined) {
    process.stderr.write('usage: proxy --bootstrap FILE\n');
    process.exitCode = BAD_CONFIGURATION_EXIT;
    return undefined;
  }
  try {
    const result = parseBootstrap(readFileSync(path, 'utf8'));
    if ('ok' in result) {
      log.level = result.ok.logLevel;
      return result.ok;
    }
    for (const violation of result.violations) {
      log.error('the bootstrap file is not right', { file: path, ...violation });
    }
  } catch (error) {
    log.error('the bootstrap file cannot be read', { file: path, error: MeshError.from(error) });
  }
  process.exitCode = BAD_CONFIGURATION_EXIT;
  return undefined;
}

function bootstrapPath(): string | undefined {
  try {
    return parseArgs({ options: { bootstrap: { type: 'string' } } }).values.bootstrap;
  } catch {
    return undefined;
  }
}

async function run(config: Bootstrap, log: LeveledLogger): Promise<void> {
  let proxy: ProxyProcess;
  try {
    proxy = new ProxyProcess({
      bootstrap: config,
      version: packageJson.version,
      clock: systemClock,
      logger: log,
      random: Math.random,
      createDataPlane,
      exit: (code) => process.exit(code),
    });
  } catch (error) {
    fail(log, error);
    return;
  }
  process.on('uncaughtException', (error) => proxy.handleUnhandled(error));
  process.on('unhandledRejection', (error) => proxy.handleUnhandled(error));
  let terminations = 0;
  const terminate = (): void => {
    terminations += 1;
    if (terminations > 1) {
      process.exit(1);
    }
    void proxy.stop(0);
  };
  process.on('SIGTERM', terminate);
  process.on('SIGINT', terminate);
  process.on('SIGUSR1', () => proxy.reopenLogs());
  // A terminal that went away is no reason to drop traffic.
  process.on('SIGHUP', () => {});
  try {
    await proxy.start();
  } catch (error) {
    fail(log, error);
  }
}

function fail(log: LeveledLogger, thrown: unknown): void {
  const error = MeshError.from(thrown);
  log.error('the proxy cannot run', { code: error.code, reason: error.message, hint: error.hint });
  process.exit(error.code === 'BAD_CONFIGURATION' ? BAD_CONFIGURATION_EXIT : 1);
}
