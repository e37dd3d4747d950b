import { randomBytes } from 'node:crypto';
import { constants } from 'node:os';
import { openMeshApi } from '../api/mesh-api.ts';
import { CliFailure, reportFrom } from '../cli-failure.ts';
import type { ApiFlags, Context } from '../context.ts';
import { OrphanGuard } from '../platform/orphan-guard.ts';
import { Progress } from '../terminal/progress.ts';
import { parseAddress, parseEngine, parseLabel, parsePortMapping, requireLabel } from '../workload/flags.ts';
import { Workload } from '../workload/workload.ts';
import type { WorkloadSpec } from '../workload/workload-spec.ts';

export interface GatewayOptions extends ApiFlags {
  readonly namespace?: string;
  readonly serviceAccount?: string;
  readonly address?: string;
  readonly port?: readonly string[];
  readonly label?: readonly string[];
  readonly engine?: string;
  readonly quiet?: boolean;
}

/** Label by which a Gateway of Gateway API finds its proxies. */
const gatewayNameLabel = 'gateway.networking.k8s.io/gateway-name';

/** `weft gateway`: a proxy at the edge of the mesh, until a signal comes. */
export async function gateway(context: Context, name: string, options: GatewayOptions): Promise<void> {
  const { terminal, state, paths } = context;
  const api = openMeshApi(options, terminal.env, state);
  const spec = gatewaySpec(context, name, options, api.defaultNamespace);
  const say = (_: string, line: string): void => {
    if (options.quiet !== true) {
      terminal.err(`${terminal.errStyle.faint('weft:')} ${line}\n`);
    }
  };
  const guard = new OrphanGuard();
  const progress = new Progress(terminal);
  const workload = new Workload(spec, {
    api,
    clock: terminal.clock,
    paths,
    guard,
    env: terminal.env,
    version: context.version,
    runFolder: state.workloadFolder,
    output: 'inherit',
    input: 'ignore',
    drainTimeoutMs: 10_000,
    say,
  });
  const signalled = context.untilSignal(['SIGINT', 'SIGTERM']);
  try {
    const started = await Promise.race([start(), signalled]);
    const signal = started ?? (await signalled);
    progress.stop();
    if (started === undefined) {
      say(spec.name, `${signal}: finishing what is in flight, then leaving the mesh`);
    }
    context.exitCode = 128 + constants.signals[signal];
  } catch (error) {
    progress.stop();
    throw new CliFailure(reportFrom(error, `gateway ${name} did not join the mesh`), error);
  } finally {
    await workload.leave();
    guard.close();
    api.close();
  }

  async function start(): Promise<undefined> {
    if (options.quiet !== true) {
      progress.start('joining the mesh');
    }
    const { endpoints } = await api.version();
    await workload.join(endpoints);
    progress.detail('waiting for the proxy');
    await workload.startSidecar();
    progress.stop();
    say(spec.name, describe(spec, name));
  }
}

function gatewaySpec(context: Context, name: string, options: GatewayOptions, defaultNamespace: string): WorkloadSpec {
  const gatewayName = requireLabel('NAME', name);
  return {
    namespace: requireLabel('--namespace', options.namespace ?? defaultNamespace),
    name: `${gatewayName.slice(0, 56)}-${randomBytes(3).toString('hex')}`,
    service: undefined,
    version: undefined,
    serviceAccount: requireLabel('--service-account', options.serviceAccount ?? gatewayName),
    protocol: undefined,
    port: { servicePort: undefined, appPort: undefined },
    upstreams: [],
    engine: parseEngine(options.engine ?? 'weft'),
    command: [],
    cwd: context.cwd,
    env: {},
    labels: {},
    gateway: {
      address: parseAddress('--address', options.address ?? '127.0.0.1'),
      ports: (options.port ?? []).map(parsePortMapping),
      labels: { [gatewayNameLabel]: gatewayName, ...Object.fromEntries((options.label ?? []).map(parseLabel)) },
    },
  };
}

function describe(spec: WorkloadSpec, name: string): string {
  const { address = '', ports = [] } = spec.gateway ?? {};
  const mapped = ports.map(({ port, listenPort }) => `${port} at ${listenPort}`).join(', ');
  return `${spec.name} serves Gateway ${spec.namespace}/${name} at ${address}${mapped === '' ? '' : ` (port ${mapped})`}`;
}
