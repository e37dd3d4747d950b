import { upstreamVariable } from './flags.ts';
import type { WorkloadPorts, WorkloadSpec } from './workload-spec.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const proxyVariable = /^(https?|all|no|grpc|no_grpc)_proxy$/i;

/** For our own programs: what we got, without proxy settings that are meant for the user's programs. */
export function sidecarEnvironment(env: Environment): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !proxyVariable.test(name)));
}

/**
 * What the command sees: `PORT` to listen on, the sidecar as its HTTP proxy, and an address for each upstream; without a proxy, the
 * bootstrap file of gRPC.
 * `NODE_USE_ENV_PROXY` makes Node's own `http` follow `http_proxy`, as other languages' libraries do by themselves.
 */
export function commandEnvironment(
  spec: WorkloadSpec,
  ports: WorkloadPorts,
  env: Environment,
  grpcBootstrap: string,
): Record<string, string> {
  const own: Record<string, string> = {};
  for (const [name, value] of Object.entries(sidecarEnvironment(env))) {
    if (value !== undefined) {
      own[name] = value;
    }
  }
  Object.assign(own, {
    ...(spec.engine === 'grpc' ? { GRPC_XDS_BOOTSTRAP: grpcBootstrap } : proxySettings(ports, env)),
    WEFT_WORKLOAD: `${spec.namespace}/${spec.name}`,
    ...(ports.app === undefined || spec.port.socket !== undefined ? {} : { PORT: String(ports.app) }),
  });
  for (const upstream of ports.upstreams) {
    own[upstreamVariable(upstream.host)] = `127.0.0.1:${upstream.localPort}`;
  }
  for (const [name, value] of Object.entries(spec.env)) {
    own[name] = value.replace(/\$([A-Za-z_][A-Za-z0-9_]*)/g, (_, variable: string) => own[variable] ?? '');
  }
  return own;
}

/** The sidecar as HTTP proxy, in the variables that libraries look at. */
function proxySettings({ httpProxy }: WorkloadPorts, env: Environment): Record<string, string> {
  const address = `http://127.0.0.1:${httpProxy}`;
  const direct = mergeNoProxy(env['no_proxy'] ?? env['NO_PROXY']);
  return {
    http_proxy: address,
    HTTP_PROXY: address,
    no_proxy: direct,
    NO_PROXY: direct,
    NODE_USE_ENV_PROXY: '1',
  };
}

function mergeNoProxy(existing: string | undefined): string {
  const hosts = new Set(['localhost', '127.0.0.1', '::1']);
  for (const host of (existing ?? '').split(',')) {
    if (host.trim() !== '') {
      hosts.add(host.trim());
    }
  }
  return [...hosts].join(',');
}
