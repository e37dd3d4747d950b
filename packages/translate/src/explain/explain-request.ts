import {
  type Destination,
  type ForwardAction,
  type HttpRoute,
  type HttpRoutes,
  type OriginRef,
  type OutboundCluster,
  unlimited,
  type WorkloadIr,
} from '@weft/ir';
import type { MeshState } from '../state/mesh-state.ts';
import { clusterEndpoints } from '../to-ir/endpoints.ts';
import { bySpecificity, covers } from '../to-ir/gateway-api/hostname.ts';
import { clientOf, virtualHostOf, workloadIr } from '../to-ir/workload-ir.ts';
import { socketText } from '../unix-address.ts';
import { describeMatch, type ExplainedRequest, tryRoutes } from './match-request.ts';

/** One step of a request's way. */
export interface ExplainedStep {
  /** `listener`, `host`, `route`, `action`, `destination`. */
  readonly title: string;
  /** What was found, one sentence. */
  readonly result: string;
  /** Facts, a line each. */
  readonly details: readonly string[];
  /** Resources that it comes from: `VirtualService shop/reviews`. */
  readonly origins: readonly string[];
}

export interface RequestExplanation {
  /** `<namespace>/<name>` of the proxy. */
  readonly proxy: string;
  readonly steps: readonly ExplainedStep[];
  /** What the client gets: `forwarded`, `answered <status>`. */
  readonly outcome: string;
}

/**
 * Walks one request of a workload, or of a gateway's client, through the configuration that its proxy is to have.
 * @param observedHosts as for `workloadIr`.
 * @returns undefined when there is no such Proxy.
 */
export function explainRequest(
  state: MeshState,
  proxyKey: string,
  observedHosts: readonly string[],
  request: ExplainedRequest,
): RequestExplanation | undefined {
  const ir = workloadIr(state, proxyKey, observedHosts);
  if (ir === undefined) {
    return undefined;
  }
  const walk = new Walk(state, proxyKey, ir, request);
  const outcome = walk.begin();
  return { proxy: proxyKey, steps: walk.steps, outcome };
}

class Walk {
  readonly steps: ExplainedStep[] = [];
  readonly #state: MeshState;
  readonly #proxyKey: string;
  readonly #ir: WorkloadIr;
  readonly #request: ExplainedRequest;
  readonly #clusters: ReadonlyMap<string, OutboundCluster>;
  /** Of a virtual host that the proxy has not asked for yet. */
  readonly #more = new Map<string, OutboundCluster>();

  constructor(state: MeshState, proxyKey: string, ir: WorkloadIr, request: ExplainedRequest) {
    this.#state = state;
    this.#proxyKey = proxyKey;
    this.#ir = ir;
    this.#request = request;
    this.#clusters = new Map(ir.clusters.map((cluster) => [cluster.name, cluster]));
  }

  begin(): string {
    return this.#ir.gateway.length > 0 ? this.#atGateway() : this.#atSidecar();
  }

  #atSidecar(): string {
    const { authority } = this.#request;
    const { httpProxy, grpcTargets, workload } = this.#ir;
    if (workload.engine === 'grpc') {
      this.#step('listener', `none: its own gRPC library dials xds:///${authority}`, [], []);
    } else if (httpProxy === undefined) {
      this.#step('listener', 'the sidecar has no HTTP proxy address, only local ports of declared upstreams', [], []);
      return 'not sent';
    } else {
      this.#step('listener', `HTTP proxy at ${socketText(httpProxy.listen)}`, [], []);
    }
    const asked = httpProxy?.virtualHosts ?? grpcTargets ?? [];
    const known = asked.some((host) => host.authority === authority.toLowerCase());
    const host = virtualHostOf(this.#state, clientOf(this.#state, this.#proxyKey), authority.toLowerCase(), (found) => {
      for (const cluster of found) {
        this.#more.set(cluster.name, cluster);
      }
    });
    if (host.routes === undefined) {
      this.#step('host', `nothing in the mesh has the name ${authority}`, [], []);
      return 'answered 404 (NR: no route)';
    }
    this.#step(
      'host',
      `${authority} is known`,
      known ? [] : ['the proxy has not called it yet: it asks for it at the first request'],
      host.routes.origins,
    );
    return this.#route(host.routes);
  }

  #atGateway(): string {
    const { scheme, authority, target } = this.#request;
    const [serverName = '', written] = target.toLowerCase().split(':');
    const [host = ''] = authority.toLowerCase().split(':');
    const wanted = Number(written ?? (scheme === 'https' ? 443 : 80));
    const listener = this.#ir.gateway.find(({ listen, port }) => port === wanted || listen.port === wanted);
    const chain = listener?.chains
      .filter(({ tls, serverNames, traffic }) =>
        scheme === 'https'
          ? tls !== undefined || traffic.kind === 'tcp'
          : tls === undefined && serverNames.length === 0,
      )
      .flatMap((entry) => (entry.serverNames.length === 0 ? ['*'] : entry.serverNames).map((name) => ({ name, entry })))
      .filter(({ name }) => covers(name, serverName))
      .sort((a, b) => bySpecificity(a.name, b.name))[0]?.entry;
    if (listener === undefined || chain === undefined) {
      const open = this.#ir.gateway.map(({ listen }) => listen.port || socketText(listen)).join(', ');
      this.#step('listener', `no listener takes ${scheme}://${target}`, [`ports that are open: ${open}`], []);
      return 'not connected';
    }
    this.#step(
      'listener',
      `${socketText(listener.listen)}, chain ${chain.name}`,
      chain.tls === undefined ? [] : ['TLS ends here'],
      listener.origins,
    );
    if (chain.traffic.kind === 'tcp') {
      this.#destinations(chain.traffic.destinations);
      return 'forwarded as TCP';
    }
    const found = listener.virtualHosts
      .filter(({ domains }) => domains.some((domain) => covers(domain, host)))
      .sort((a, b) => bySpecificity(a.domains[0] ?? '', b.domains[0] ?? ''))[0];
    if (found === undefined) {
      this.#step('host', `no route is for ${host}`, [], []);
      return 'answered 404 (NR: no route)';
    }
    if (found.chain !== undefined && found.chain !== chain.name) {
      this.#step('host', `${host} is of chain ${found.chain}`, [`the server name ${serverName} chose another`], []);
      return 'answered 421 (misdirected: to be sent by a connection of its own)';
    }
    this.#step('host', `${host} is served as ${found.domains.join(', ')}`, [], found.routes.origins);
    if (found.httpsRedirect && scheme !== 'https') {
      this.#step('action', 'redirected to https', [], []);
      return 'answered 301';
    }
    return this.#route(found.routes);
  }

  #route(routes: HttpRoutes): string {
    const verdicts = tryRoutes(routes.routes, this.#request);
    const last = verdicts.at(-1);
    const passed = verdicts
      .filter(({ failed }) => failed !== undefined)
      .map(({ route, failed }) => `passed over ${route.name}: ${failed}`);
    if (last === undefined || last.failed !== undefined) {
      this.#step('route', 'no rule matches', passed, routes.origins);
      return 'answered 404 (NR: no route)';
    }
    const { route } = last;
    const conditions = describeMatch(route.match);
    this.#step(
      'route',
      `${route.name}${conditions.length === 0 ? ' (every request)' : `: ${conditions.join(', ')}`}`,
      passed,
      routes.origins,
    );
    return this.#act(route);
  }

  #act(route: HttpRoute): string {
    const { action } = route;
    switch (action.kind) {
      case 'direct-response':
        this.#step('action', `answers ${action.status} itself`, [], []);
        return `answered ${action.status}`;
      case 'redirect': {
        const where = [action.scheme, action.authority, action.port].filter((part) => part !== undefined).join(' ');
        const path =
          action.path === undefined
            ? ''
            : ` path ${'value' in action.path ? action.path.value : action.path.substitution}`;
        this.#step('action', `redirects with ${action.status} to ${where}${path}`, [], []);
        return `answered ${action.status}`;
      }
      case 'forward':
        this.#step('action', 'forwards', this.#policy(route, action), []);
        this.#destinations(action.destinations);
        return action.destinations.some(({ resolved }) => resolved)
          ? 'forwarded'
          : `answered ${action.unresolvedStatus}`;
    }
  }

  #policy(route: HttpRoute, action: ForwardAction): readonly string[] {
    const { retry, mirrors, pathRewrite, hostRewrite } = action;
    const { fault } = route;
    const percent = (millionths: number): string => `${millionths / 10_000} %`;
    return [
      `timeout ${action.timeoutMs === 0 ? 'none' : `${action.timeoutMs} ms`}`,
      retry === undefined
        ? 'no retries'
        : `retries ${retry.attempts}, on ${retry.on.join(', ')}${retry.statusCodes.length > 0 ? ` (${retry.statusCodes.join(', ')})` : ''}${retry.perTryTimeoutMs > 0 ? `, ${retry.perTryTimeoutMs} ms each` : ''}`,
      ...(hostRewrite === undefined ? [] : [`host becomes ${hostRewrite}`]),
      ...(pathRewrite === undefined
        ? []
        : [
            `path is rewritten: ${'value' in pathRewrite ? pathRewrite.value : `${pathRewrite.pattern} → ${pathRewrite.substitution}`}`,
          ]),
      ...(fault?.delay === undefined ? [] : [`fault: ${percent(fault.delay.share)} delayed by ${fault.delay.ms} ms`]),
      ...(fault?.abort === undefined
        ? []
        : [
            `fault: ${percent(fault.abort.share)} aborted with ${fault.abort.kind === 'http' ? fault.abort.status : `gRPC ${fault.abort.code}`}`,
          ]),
      ...mirrors.map(({ cluster, share, resolved }) =>
        resolved ? `mirrors ${percent(share)} to ${cluster}` : `mirror ${cluster} does not exist`,
      ),
    ];
  }

  #destinations(destinations: readonly Destination[]): void {
    const total = destinations.reduce((sum, { weight }) => sum + weight, 0);
    for (const { cluster: name, weight, resolved } of destinations) {
      const share = `${Math.round((weight / total) * 1000) / 10} %`;
      const cluster = this.#clusters.get(name) ?? this.#more.get(name);
      if (!resolved || cluster === undefined) {
        this.#step('destination', `${share} to ${name}, which does not exist`, [], []);
      } else {
        this.#destination(share, cluster);
      }
    }
  }

  #destination(share: string, cluster: OutboundCluster): void {
    const { limits, loadBalancer, outlierDetection, tls, discovery } = cluster;
    const endpoints =
      discovery.kind === 'dns'
        ? discovery.endpoints
        : clusterEndpoints(this.#state, clientOf(this.#state, this.#proxyKey), cluster.name).endpoints;
    const healthy = endpoints.filter(({ health }) => health === 'healthy').length;
    const limit = (name: string, value: number): string | undefined =>
      value === unlimited ? undefined : `${name} ${value}`;
    const limited = [
      limit('connections', limits.maxConnections),
      limit('pending requests', limits.maxPendingRequests),
      limit('requests', limits.maxRequests),
      limit('retries', limits.maxRetries),
    ].filter((text) => text !== undefined);
    const spoken = {
      auto: 'mutual TLS where the endpoint has a sidecar, plaintext elsewhere',
      mutual: 'mutual TLS',
      originate: 'TLS',
      disabled: 'plaintext',
    };
    this.#step(
      'destination',
      `${share} to ${cluster.name}`,
      [
        `${endpoints.length} endpoint${endpoints.length === 1 ? '' : 's'}, ${healthy} healthy${endpoints.length === 0 ? ': requests are answered 503 (UH)' : ''}`,
        ...endpoints
          .slice(0, 8)
          .map(({ address, port, health, workload }) => `  ${address}:${port} ${workload.name} ${health}`),
        ...(endpoints.length > 8 ? [`  … and ${endpoints.length - 8} more`] : []),
        `balanced by ${loadBalancer.kind}`,
        spoken[tls.kind],
        `connect timeout ${cluster.connectTimeoutMs} ms`,
        `limits: ${limited.length === 0 ? 'none' : limited.join(', ')}`,
        `outlier detection: ${outlierDetection === undefined ? 'off' : 'on'}`,
      ],
      cluster.origins,
    );
  }

  #step(title: string, result: string, details: readonly string[], origins: readonly OriginRef[]): void {
    const names = origins.map(
      ({ kind, namespace, name }) => `${kind} ${namespace === '' ? name : `${namespace}/${name}`}`,
    );
    this.steps.push({ title, result, details, origins: [...new Set(names)] });
  }
}
