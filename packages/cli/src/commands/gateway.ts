import { randomBytes } from 'node:crypto';
import { constants } from 'node:os';
import { openMeshApi } from '../api/mesh-api.ts';
import type { ApiFlags, Context } from '../context.ts';
import {
  parseAddress,
  parseEngine,
  parseLabel,
  parsePortMapping,
  parseUnixSocket,
  requireLabel,
} from '../workload/flags.ts';
import { ForegroundWorkload } from '../workload/foreground-workload.ts';
import { gatewayNameLabel } from '../workload/gateway-infrastructure.ts';
import type { WorkloadSpec } from '../workload/workload-spec.ts';

export interface GatewayOptions extends ApiFlags {
  readonly namespace?: string;
  readonly serviceAccount?: string;
  readonly address?: string;
  readonly port?: readonly string[];
  readonly label?: readonly string[];
  readonly engine?: string;
  readonly unixSocket?: readonly string[];
  readonly quiet?: boolean;
}

/** `weft gateway`: a proxy at the edge of the mesh, until a signal comes. */
export async function gateway(context: Context, name: string, options: GatewayOptions): Promise<void> {
  const api = openMeshApi(options, context.terminal.env, context.state);
  const spec = gatewaySpec(context, name, options, api.defaultNamespace);
  const foreground = new ForegroundWorkload(context, spec, {
    api,
    subject: `gateway ${name}`,
    proxy: 'proxy',
    input: 'ignore',
    quiet: options.quiet === true,
  });
  const signalled = context.untilSignal(['SIGINT', 'SIGTERM']);
  await foreground.hold(async () => {
    const early = await Promise.race([foreground.join(), signalled]);
    if (early === undefined) {
      foreground.say(describe(spec, name));
    }
    const signal = early ?? (await signalled);
    if (early === undefined) {
      foreground.say(`${signal}: finishing what is in flight, then leaving the mesh`);
    }
    context.exitCode = 128 + constants.signals[signal];
  });
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
    engine: parseEngine(options.engine ?? 'weft', ['weft', 'envoy']),
    ...(options.unixSocket === undefined ? {} : { unixSockets: options.unixSocket.map(parseUnixSocket) }),
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
