/** One configuration of both proxies and the requests that go through them. Resources are proto3 JSON with the names of the proto. */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

/** A request as it is written on the wire. Fields of the same name stay apart. */
export interface GeneratedRequest {
  readonly method: string;
  readonly path: string;
  readonly host: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body?: string;
}

/** A cluster with one recording backend for each endpoint. */
export interface ClusterSpec {
  readonly name: string;
  /** Default 1. */
  readonly endpoints?: number;
  /** Further fields of the Cluster resource. */
  readonly fields?: JsonObject;
  /** Nobody listens at its address. */
  readonly refuses?: boolean;
}

/** Requests that go through both proxies, and how what they do is compared. */
export interface Stream {
  readonly name: string;
  /** What clients speak. Default HTTP/1.1. */
  readonly downstream?: 'http1' | 'http2';
  /** Sent first, each once. */
  readonly fixed?: readonly GeneratedRequest[];
  /** Makes one request of random numbers in [0, 1); the same seed gives the same stream. */
  readonly generate: (random: () => number) => GeneratedRequest;
  /**
   * Chance decides in the proxies as well: requests are not compared one by one, but how often each outcome came up. `outcome` names
   * it; shares may differ by `tolerance` (default 0.06) from each other.
   */
  readonly statistical?: { readonly outcome: (seen: Observation) => string; readonly tolerance?: number };
  /** Requests that are refused before anybody could log them: only answers are compared. */
  readonly unlogged?: boolean;
  /** What takes long is sent less of: the share of the usual number. Default 1. */
  readonly share?: number;
}

/** Both proxies are given it as it is. */
export interface Configuration extends Stream {
  /** Fields of the connection manager besides routes, filters and log. */
  readonly manager?: JsonObject;
  /** HTTP filters before the router. */
  readonly httpFilters?: readonly JsonObject[];
  /** Fields of the route configuration; its name is that of the configuration. */
  readonly routes: JsonObject;
  /** A name stands for a cluster with one endpoint. Configurations of one run may share clusters that are alike. */
  readonly clusters: readonly (string | ClusterSpec)[];
}

/** A workload without a sidecar. The caller is in `here/a` and has the label `tier: gold`. */
export interface MeshInstance {
  readonly version: string;
  readonly locality?: string;
  readonly weight?: number;
  /** Besides `app` and `version`. */
  readonly labels?: Readonly<Record<string, string>>;
}

/** Both proxies are of one mesh, and have of its control plane what it makes of resources. */
export interface MeshCase extends Stream {
  /**
   * Services of the case, with the versions of each: workloads with the label `version` and a recording backend `<service>-<version>` each. Port 80 is HTTP.
   * Names are unique among the cases of a run: they are in one namespace.
   */
  readonly services: Readonly<Record<string, readonly (string | MeshInstance)[]>>;
  /** More objects, YAML; empty: none. */
  readonly manifest: string;
  /** What the workload that is called speaks, as `weft run --protocol` has it. Default `http`. */
  readonly protocol?: string;
  /** Of the Gateways that requests come to. Default 80. */
  readonly gatewayPort?: 80 | 8080;
}

/** What one request did, as far as both proxies must agree. */
export interface Observation {
  /** 0: the connection was cut. */
  readonly status: number;
  /** Fields that the client got, by lower-case name. */
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly body: string;
  /** All that backends saw of it (retries and mirrors too), ordered. */
  readonly backends: readonly BackendRequest[];
  readonly log: Readonly<Record<string, string>>;
  readonly elapsedMs: number;
}

export interface BackendRequest {
  readonly cluster: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly body: string;
}

const typePrefix = 'type.googleapis.com/';

/** An `Any` in JSON. */
export function any(type: string, fields: JsonObject = {}): JsonObject {
  return { '@type': `${typePrefix}${type}`, ...fields };
}

/** An HTTP filter. */
export function httpFilter(name: string, type: string, fields: JsonObject = {}): JsonObject {
  return { name, typed_config: any(type, fields) };
}

/** A virtual host for all hosts. */
export function anyHost(routes: readonly JsonObject[], fields: JsonObject = {}): JsonObject {
  return { name: 'any', domains: ['*'], routes, ...fields };
}

/** One of `values`, equally likely. */
export function oneOf<T>(random: () => number, values: readonly T[]): T {
  return values[Math.floor(random() * values.length)] as T;
}

export function chance(random: () => number, probability: number): boolean {
  return random() < probability;
}

/** Some of `values`, each with the same probability. */
export function someOf<T>(random: () => number, values: readonly T[], probability = 0.4): T[] {
  return values.filter(() => random() < probability);
}

export function get(
  path: string,
  headers: readonly (readonly [string, string])[] = [],
  host = 'shop.example',
): GeneratedRequest {
  return { method: 'GET', path, host, headers };
}
