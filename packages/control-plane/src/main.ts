import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { logVerbosity, setLogVerbosity } from '@grpc/grpc-js';
import { createLogger, MeshError } from '@weft/base';
import { readConfig } from './config/read-config.ts';
import { startControlPlane } from './control-plane.ts';

const logger = createLogger();
/** Our programs end with this when what they were given is not right. */
const badConfigurationExit = 2;
const stopTimeoutMs = 10_000;

function fail(thrown: unknown): never {
  const { code, message, hint, details } = MeshError.from(thrown);
  const stack = code === 'INTERNAL' && thrown instanceof Error ? { stack: thrown.stack } : {};
  logger.error('the control plane ends', { error: { code, message, hint, ...details, ...stack } });
  process.exit(code === 'BAD_CONFIGURATION' ? badConfigurationExit : 1);
}

process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);

async function main(): Promise<void> {
  const config = readConfig(process.argv.slice(2), process.env);
  logger.level = config.logLevel;
  // gRPC's own lines would stand among ours without their form; what matters is an error to us.
  setLogVerbosity(logVerbosity.NONE);
  // Programs find us by a file that the start writes: from that moment on a signal must find its handler.
  const stopped = new Promise<NodeJS.Signals>((resolve) => {
    process.on('SIGTERM', resolve);
    process.on('SIGINT', resolve);
  });
  // In a build the page lies beside the program.
  const bundled = join(import.meta.dirname, 'dashboard');
  const pageFolder = config.pageFolder ?? (existsSync(join(bundled, 'index.html')) ? bundled : undefined);
  const controlPlane = await startControlPlane({
    config: { ...config, ...(pageFolder === undefined ? {} : { pageFolder }) },
    logger,
  });
  const signal = await stopped;
  logger.info('control plane stops', { signal });
  setTimeout(() => fail(new MeshError('TIMEOUT', 'the control plane did not stop in time')), stopTimeoutMs).unref();
  await controlPlane.stop();
  process.exit(0);
}

main().catch(fail);
