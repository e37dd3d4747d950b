import { readFileSync } from 'node:fs';
import { createLogger, MeshError, systemClock } from '@weft/base';
import { Agent } from './agent.ts';
import { parseAgentBootstrap } from './agent-bootstrap.ts';
import { findEnvoy } from './envoy-process.ts';

/** Started by `weft run --engine envoy` as `envoy-agent --bootstrap FILE`. Ends with 2 when what it was given is not right. */
const logger = createLogger({ fields: { program: 'envoy-agent' } });

function fileArgument(): string {
  const index = process.argv.indexOf('--bootstrap');
  const file = index < 0 ? undefined : process.argv[index + 1];
  if (file === undefined) {
    throw new MeshError('BAD_CONFIGURATION', 'the argument --bootstrap FILE is missing');
  }
  return file;
}

async function main(): Promise<number> {
  const bootstrap = parseAgentBootstrap(readFileSync(fileArgument(), 'utf8'));
  const agent = new Agent({
    bootstrap,
    envoy: findEnvoy(process.env),
    clock: systemClock,
    logger,
    random: Math.random,
  });
  let stopping = false;
  const signalled = new Promise<undefined>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        stopping = true;
        resolve(undefined);
      });
    }
  });
  try {
    const started = agent.start();
    const running = await Promise.race([started, signalled]);
    const end = running === undefined ? undefined : await Promise.race([running.ended, signalled]);
    if (end === undefined || stopping) {
      return 0;
    }
    logger.error('Envoy ended by itself', { ...end });
    return 1;
  } finally {
    await agent.stop();
  }
}

main().then(
  (code) => process.exit(code),
  (thrown: unknown) => {
    const error = MeshError.from(thrown);
    logger.error(error.message, { error });
    const hopeless = error.code === 'BAD_CONFIGURATION' || error.code === 'PEER_MISSING';
    process.exit(hopeless ? 2 : 1);
  },
);
