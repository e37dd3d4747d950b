import { randomBytes } from 'node:crypto';
import { constants } from 'node:os';
import { MeshError } from '@weft/base';
import { openMeshApi } from '../api/mesh-api.ts';
import { usageFailure } from '../cli-failure.ts';
import type { ApiFlags, Context } from '../context.ts';
import { exitCodeOf } from '../platform/child-program.ts';
import { findProgram } from '../platform/find-program.ts';
import {
  parseEngine,
  parsePort,
  parseProtocol,
  parseUnixSocket,
  parseUpstream,
  requireLabel,
} from '../workload/flags.ts';
import { ForegroundWorkload } from '../workload/foreground-workload.ts';
import type { Workload } from '../workload/workload.ts';
import { findWorkloadGroup, inGroup } from '../workload/workload-group.ts';
import type { WorkloadSpec } from '../workload/workload-spec.ts';

export interface RunOptions extends ApiFlags {
  readonly service?: string;
  readonly name?: string;
  readonly version?: string;
  readonly workloadGroup?: string;
  readonly namespace?: string;
  readonly serviceAccount?: string;
  readonly port?: string;
  readonly protocol?: string;
  readonly upstream?: readonly string[];
  readonly engine?: string;
  readonly unixSocket?: readonly string[];
  readonly quiet?: boolean;
}

/** `weft run`: one command with its sidecar, until the command ends or a signal comes. */
export async function run(context: Context, command: readonly string[], options: RunOptions): Promise<void> {
  const api = openMeshApi(options, context.terminal.env, context.state);
  const alone = workloadSpec(context, command, options, api.defaultNamespace);
  const spec =
    options.workloadGroup === undefined
      ? alone
      : inGroup(
          alone,
          await findWorkloadGroup(api.resources, alone.namespace, options.workloadGroup),
          options.serviceAccount,
        );
  const foreground = new ForegroundWorkload(context, spec, {
    api,
    subject: spec.name,
    proxy: 'sidecar',
    input: 'inherit',
    quiet: options.quiet === true,
  });
  const { workload } = foreground;
  const signalled = context.untilSignal(['SIGINT', 'SIGTERM']);
  // These may mean something to the command (reload, dump, a new size of the screen): what it makes of them is its own.
  context.onSignal(['SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH'], (signal) =>
    workload.command?.signal(signal),
  );
  await foreground.hold(async () => {
    const outcome = await Promise.race([start(), signalled]);
    if (typeof outcome === 'string') {
      context.exitCode = 128 + constants.signals[outcome];
      return;
    }
    const over = await Promise.race([outcome.ended, signalled]);
    if (typeof over === 'string') {
      foreground.say(`${over}: leaving the mesh, then stopping the command`);
      await workload.leave(over);
    }
    await workload.leave();
    context.exitCode = exitCodeOf(await outcome.ended);
  });

  async function start() {
    await foreground.join();
    foreground.say(describe(workload));
    return workload.startCommand();
  }
}

/** Reads the flags; all usage mistakes come before anything is registered. */
function workloadSpec(
  context: Context,
  command: readonly string[],
  options: RunOptions,
  defaultNamespace: string,
): WorkloadSpec {
  const [file] = command;
  if (file === undefined) {
    throw usageFailure(
      'there is no command to run',
      'put it after two dashes: weft run --service hello -- node server.js',
    );
  }
  if (findProgram(file, context.terminal.env['PATH'], context.cwd) === undefined) {
    throw usageFailure(
      `there is no program ${JSON.stringify(file)}`,
      'check the spelling; a program that is not in PATH needs its path, such as ./server',
    );
  }
  const service = options.service === undefined ? undefined : requireLabel('--service', options.service);
  const version = options.version === undefined ? undefined : requireLabel('--version', options.version);
  if (service === undefined && options.name === undefined) {
    throw usageFailure(
      'neither --service nor --name was given',
      'name the service that the command is, --service hello; for one that only calls others use --name client',
    );
  }
  const engine = parseEngine(options.engine ?? 'weft', ['weft', 'envoy', 'grpc']);
  const listening =
    service !== undefined
      ? '--service'
      : options.upstream !== undefined
        ? '--upstream'
        : options.unixSocket !== undefined
          ? '--unix-socket'
          : undefined;
  if (engine === 'grpc' && listening !== undefined) {
    throw usageFailure(
      `--engine grpc is for a command that only calls others, without ${listening}`,
      'nothing listens beside it: let it dial xds:///SERVICE:PORT and give it a --name; a command that serves needs --engine weft or envoy',
    );
  }
  const base = [service, version].filter((part) => part !== undefined).join('-');
  return {
    namespace: requireLabel('--namespace', options.namespace ?? defaultNamespace),
    name:
      options.name === undefined
        ? `${base.slice(0, 56)}-${randomBytes(3).toString('hex')}`
        : requireLabel('--name', options.name),
    service,
    version,
    serviceAccount: requireLabel('--service-account', options.serviceAccount ?? service ?? options.name ?? 'default'),
    protocol: options.protocol === undefined ? undefined : parseProtocol(options.protocol),
    port: parsePort(options.port ?? '0'),
    upstreams: (options.upstream ?? []).map(parseUpstream),
    engine,
    ...(options.unixSocket === undefined ? {} : { unixSockets: options.unixSocket.map(parseUnixSocket) }),
    command,
    cwd: context.cwd,
    env: {},
    labels: {},
  };
}

function describe(workload: Workload): string {
  const { spec, ports } = workload;
  if (ports === undefined) {
    throw new MeshError('INTERNAL', 'the workload has no ports');
  }
  if (spec.engine === 'grpc') {
    return `${spec.namespace}/${spec.name} joined: no proxy, GRPC_XDS_BOOTSTRAP configures the command's gRPC, admin ${ports.admin}`;
  }
  const serves =
    spec.service === undefined || ports.app === undefined
      ? ''
      : `, the command listens on ${spec.port.socket ?? `${ports.app} (PORT)`}`;
  return `${spec.namespace}/${spec.name} joined: sidecar ${spec.engine}, http_proxy ${ports.httpProxy}, admin ${ports.admin}${serves}`;
}
