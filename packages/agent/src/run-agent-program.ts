import { readFileSync } from 'node:fs';
import { type Clock, createLogger, type Logger, MeshError, systemClock } from '@weft/base';
import { type AgentBootstrap, parseAgentBootstrap } from './agent-bootstrap.ts';

/** What an agent is made of. */
export interface AgentParts {
  readonly bootstrap: AgentBootstrap;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

export interface AgentProgram {
  /** Resolves when it runs; `ended` when it has ended by itself, with what to say of it. */
  start(): Promise<{ readonly ended: Promise<object> }>;
  stop(): Promise<void>;
}

/**
 * The program `NAME --bootstrap FILE`, until SIGTERM or SIGINT. Resolves to the exit code: 0 when it was told to end, 2 when what it was
 * given is not right, else 1.
 */
export async function runAgentProgram(name: string, create: (parts: AgentParts) => AgentProgram): Promise<number> {
  const logger = createLogger({ fields: { program: name } });
  try {
    return await untilTold(logger, create);
  } catch (thrown) {
    const error = MeshError.from(thrown);
    logger.error(error.message, { error });
    return error.code === 'BAD_CONFIGURATION' || error.code === 'PEER_MISSING' ? 2 : 1;
  }
}

async function untilTold(logger: Logger, create: (parts: AgentParts) => AgentProgram): Promise<number> {
  const bootstrap = parseAgentBootstrap(readFileSync(fileArgument(), 'utf8'));
  const agent = create({ bootstrap, clock: systemClock, logger, random: Math.random });
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
    const running = await Promise.race([agent.start(), signalled]);
    const end = running === undefined ? undefined : await Promise.race([running.ended, signalled]);
    if (end === undefined || stopping) {
      return 0;
    }
    logger.error('ended by itself', { ...end });
    return 1;
  } finally {
    await agent.stop();
  }
}

function fileArgument(): string {
  const index = process.argv.indexOf('--bootstrap');
  const file = index < 0 ? undefined : process.argv[index + 1];
  if (file === undefined) {
    throw new MeshError('BAD_CONFIGURATION', 'the argument --bootstrap FILE is missing');
  }
  return file;
}
