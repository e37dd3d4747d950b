import type { Destination, HttpRoute, HttpRoutes } from './http-route.ts';
import type { GatewayListener, ListenAddress, WorkloadIr } from './workload-ir.ts';

/** Something in an IR that cannot be: a defect of what made it, never a user's mistake. */
export interface IrProblem {
  /** `clusters[3].name` */
  readonly path: string;
  readonly message: string;
}

/** Checks what the types cannot say; empty when all is well. Everything wrong is reported at once. */
export function validate(ir: WorkloadIr): readonly IrProblem[] {
  const check = new Check();
  const clusters = new Set(ir.clusters.map((cluster) => cluster.name));
  check.sortedUnique(
    'clusters',
    ir.clusters.map((cluster) => cluster.name),
  );
  for (const [index, cluster] of ir.clusters.entries()) {
    const path = `clusters[${index}]`;
    check.that(cluster.connectTimeoutMs > 0, `${path}.connectTimeoutMs`, 'must be positive');
    if (cluster.tls.kind === 'auto' || cluster.tls.kind === 'mutual') {
      check.that(cluster.tls.mutual.peerIds.length > 0, `${path}.tls.mutual.peerIds`, 'is empty: any peer would do');
    }
  }
  if (ir.httpProxy !== undefined) {
    const { listen, alsoAt } = ir.httpProxy;
    check.that(listen !== undefined || alsoAt !== undefined, 'httpProxy', 'listens nowhere');
    check.that(alsoAt?.length !== 0, 'httpProxy.alsoAt', 'is empty');
    if (listen !== undefined) {
      check.listen('httpProxy.listen', listen);
    }
    for (const [index, more] of (alsoAt ?? []).entries()) {
      check.listen(`httpProxy.alsoAt[${index}]`, more);
    }
    check.sortedUnique(
      'httpProxy.virtualHosts',
      ir.httpProxy.virtualHosts.map((host) => host.authority),
    );
    for (const [index, host] of ir.httpProxy.virtualHosts.entries()) {
      if (host.routes !== undefined) {
        check.routes(`httpProxy.virtualHosts[${index}].routes`, host.routes, clusters);
      }
    }
  }
  const { grpcTargets = [] } = ir;
  check.sortedUnique(
    'grpcTargets',
    grpcTargets.map(({ authority }) => authority),
  );
  for (const [index, { routes }] of grpcTargets.entries()) {
    if (routes !== undefined) {
      check.routes(`grpcTargets[${index}].routes`, routes, clusters);
    }
  }
  for (const [index, upstream] of ir.upstreams.entries()) {
    const path = `upstreams[${index}]`;
    check.listen(`${path}.listen`, upstream.listen);
    if (upstream.kind !== 'tcp') {
      check.routes(`${path}.routes`, upstream.routes, clusters);
    }
    if (upstream.kind !== 'http') {
      check.destinations(`${path}.destinations`, upstream.destinations, clusters);
      for (const [position, { destinations }] of upstream.byServerName.entries()) {
        check.destinations(`${path}.byServerName[${position}].destinations`, destinations, clusters);
      }
    }
  }
  for (const [index, inbound] of ir.inbound.entries()) {
    check.listen(`inbound[${index}].listen`, inbound.listen);
    check.port(`inbound[${index}].app.port`, inbound.app.port);
  }
  for (const [index, listener] of ir.gateway.entries()) {
    check.gateway(`gateway[${index}]`, listener, clusters);
  }
  return check.problems;
}

class Check {
  readonly problems: IrProblem[] = [];
  readonly #sockets = new Map<string, string>();

  that(condition: boolean, path: string, message: string): void {
    if (!condition) {
      this.problems.push({ path, message });
    }
  }

  sortedUnique(path: string, names: readonly string[]): void {
    for (let index = 1; index < names.length; index += 1) {
      const previous = names[index - 1] ?? '';
      const name = names[index] ?? '';
      this.that(name !== previous, `${path}[${index}]`, `${name} is there twice`);
      this.that(name >= previous, `${path}[${index}]`, `${name} is not in order`);
    }
  }

  port(path: string, port: number): void {
    this.that(Number.isInteger(port) && port >= 1 && port <= 65_535, path, `${port} is not a port`);
  }

  listen(path: string, listen: ListenAddress): void {
    if (listen.address.startsWith('unix://')) {
      this.that(listen.port === 0, `${path}.port`, 'a Unix socket has none');
    } else {
      this.port(`${path}.port`, listen.port);
    }
    const socket = `${listen.address}:${listen.port}`;
    const other = this.#sockets.get(socket);
    this.that(other === undefined, path, `${socket} is taken by ${other}`);
    this.#sockets.set(socket, path);
  }

  gateway(path: string, { listen, chains, virtualHosts }: GatewayListener, clusters: ReadonlySet<string>): void {
    this.listen(`${path}.listen`, listen);
    this.that(chains.length > 0, `${path}.chains`, 'is empty');
    const names = new Set<string>();
    for (const [index, { name, tls, traffic }] of chains.entries()) {
      const at = `${path}.chains[${index}]`;
      this.that(!names.has(name), `${at}.name`, `${name} is there twice`);
      names.add(name);
      this.that(tls?.certificates.length !== 0, `${at}.tls.certificates`, 'is empty');
      if (traffic.kind === 'tcp' && traffic.destinations.length > 0) {
        this.destinations(`${at}.traffic.destinations`, traffic.destinations, clusters);
      }
    }
    const domains = new Set<string>();
    for (const [index, host] of virtualHosts.entries()) {
      const at = `${path}.virtualHosts[${index}]`;
      for (const domain of host.domains) {
        this.that(!domains.has(domain), `${at}.domains`, `${domain} is there twice`);
        domains.add(domain);
      }
      this.that(host.chain === undefined || names.has(host.chain), `${at}.chain`, `there is no chain ${host.chain}`);
      this.routes(`${at}.routes`, host.routes, clusters);
    }
  }

  routes(path: string, routes: HttpRoutes, clusters: ReadonlySet<string>): void {
    for (const [index, route] of routes.routes.entries()) {
      this.#route(`${path}.routes[${index}]`, route, clusters);
    }
  }

  #route(path: string, route: HttpRoute, clusters: ReadonlySet<string>): void {
    if (route.action.kind === 'forward') {
      this.destinations(`${path}.action.destinations`, route.action.destinations, clusters);
      for (const [index, { cluster, resolved, share }] of route.action.mirrors.entries()) {
        const at = `${path}.action.mirrors[${index}]`;
        this.that(!resolved || clusters.has(cluster), `${at}.cluster`, `${cluster} is not among the clusters`);
        this.that(share >= 0 && share <= 1_000_000, `${at}.share`, `${share} is not a share`);
      }
    }
    if (route.action.kind === 'direct-response') {
      const { status } = route.action;
      this.that(status >= 200 && status <= 599, `${path}.action.status`, `${status} is not a final status`);
    }
    for (const header of route.match.headers) {
      this.that(header.name === header.name.toLowerCase(), `${path}.match.headers`, `${header.name} is not lower case`);
    }
  }

  destinations(path: string, destinations: readonly Destination[], clusters: ReadonlySet<string>): void {
    this.that(destinations.length > 0, path, 'is empty');
    let sum = 0;
    for (const [index, destination] of destinations.entries()) {
      sum += destination.weight;
      this.that(
        destination.resolved === clusters.has(destination.cluster),
        `${path}[${index}].cluster`,
        `${destination.cluster} is ${destination.resolved ? 'not among' : 'among'} the clusters`,
      );
    }
    this.that(sum > 0, path, 'the weights add up to nothing');
  }
}
