import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { GeneratedRequest, Json, JsonObject } from '../../differential/support/configuration.ts';

/** The tables of the public routing rows, see their README. */
export const tableNames = ['TestRoutes', 'HeaderMatchedRouting', 'Redirect', 'Weighted'] as const;

export interface Row {
  readonly id: string;
  readonly input: {
    readonly authority: string;
    readonly path: string;
    readonly method: string;
    readonly headers?: readonly (readonly [string, string])[];
    readonly tls?: boolean;
    readonly internal?: boolean;
    readonly random_value?: number;
  };
  readonly expect: {
    readonly cluster?: string | null;
    readonly virtual_cluster?: string;
    readonly path?: string;
    readonly host?: string;
    readonly redirect?: string | null;
    readonly status?: number;
    readonly request_headers?: readonly HeaderExpectation[];
    readonly response_headers?: readonly HeaderExpectation[];
  };
}

export interface HeaderExpectation {
  readonly name: string;
  readonly exact?: string;
  readonly absent?: boolean;
  readonly range?: readonly [number, number];
}

/** A client that names this address, alone, counts as internal. */
const internalAddress = '10.0.0.1';

export const manager: JsonObject = {
  internal_address_config: { cidr_ranges: [{ address_prefix: '10.0.0.0', prefix_len: 8 }] },
};

export function readRows(folder: string, table: string): readonly Row[] {
  return (JSON.parse(readFileSync(join(folder, `${table}.json`), 'utf8')) as { readonly rows: readonly Row[] }).rows;
}

/** The route configuration; durations as JSON has them. */
export function readRoutes(folder: string, table: string): JsonObject {
  return withDurations(parse(readFileSync(join(folder, `${table}.yaml`), 'utf8')) as Json) as JsonObject;
}

function withDurations(value: Json): Json {
  if (Array.isArray(value)) {
    return value.map(withDurations);
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  const object = value as JsonObject;
  const { seconds } = object;
  return Object.keys(object).length === 1 && typeof seconds === 'number'
    ? `${seconds}s`
    : Object.fromEntries(Object.entries(object).map(([key, item]) => [key, withDurations(item)]));
}

/** Every cluster that a table names. */
export function clustersOf(routes: Json): string[] {
  if (Array.isArray(routes)) {
    return [...new Set(routes.flatMap(clustersOf))];
  }
  if (typeof routes !== 'object' || routes === null) {
    return [];
  }
  const { cluster, clusters } = routes as JsonObject;
  const own = typeof cluster === 'string' ? [cluster] : [];
  const weighted = Array.isArray(clusters) ? clusters.map((entry) => String((entry as JsonObject)['name'])) : [];
  return [...new Set([...own, ...weighted, ...Object.values(routes).flatMap(clustersOf)])];
}

/** TLS and being internal are told by the fields of a hop before, which is trusted. */
export function requestOf({ input }: Row): GeneratedRequest {
  return {
    method: input.method,
    path: input.path,
    host: input.authority,
    headers: [
      ...(input.headers ?? []),
      ...(input.tls === true ? ([['x-forwarded-proto', 'https']] as const) : []),
      ...(input.internal === true ? ([['x-forwarded-for', internalAddress]] as const) : []),
    ],
  };
}
