import type { StaticResources } from '../bootstrap/bootstrap.ts';
import type { RuntimeConfig } from './config.ts';
import { clusterFromXds } from './from-xds/cluster.ts';
import { contentVersion } from './from-xds/content-version.ts';
import { endpointsFromXds } from './from-xds/endpoint.ts';
import { listenerFromXds } from './from-xds/listener.ts';
import { routeTableFromXds } from './from-xds/route-configuration.ts';
import { secretFromXds } from './from-xds/secret.ts';
import { Cluster } from './wire/cluster-schema.ts';
import { ClusterLoadAssignment } from './wire/endpoint-schema.ts';
import { Listener } from './wire/listener-schema.ts';
import { parseJsonMessage } from './wire/parse-json.ts';
import { Problems } from './wire/problems.ts';
import { RouteConfiguration } from './wire/route-schema.ts';
import type { AnyMessage, Decoded, JsonObject } from './wire/schema.ts';
import { Secret } from './wire/tls-schema.ts';

/** A proxy without a control plane: the configuration of its bootstrap file, or everything that is wrong with it. */
export function runtimeConfigFromStatic(
  resources: StaticResources,
): { readonly ok: RuntimeConfig } | { readonly problems: readonly string[] } {
  const problems: string[] = [];
  const convertAll = <M extends AnyMessage, T>(
    list: string,
    schema: M,
    items: readonly JsonObject[],
    convert: (message: Decoded<M>, version: string, problems: Problems) => T | undefined,
  ): T[] =>
    items.flatMap((json, index) => {
      const found = new Problems();
      const message = parseJsonMessage(schema, json, found);
      const value = found.empty
        ? convert(message, contentVersion(Buffer.from(JSON.stringify(json))), found)
        : undefined;
      problems.push(...found.lines().map((line) => `static.${list}[${index}].${line}`));
      return value === undefined || !found.empty ? [] : [value];
    });
  const listeners = convertAll('listeners', Listener, resources.listeners, listenerFromXds);
  const clusters = convertAll('clusters', Cluster, resources.clusters, clusterFromXds);
  const routes = convertAll('routes', RouteConfiguration, resources.routes, routeTableFromXds);
  const endpoints = convertAll('endpoints', ClusterLoadAssignment, resources.endpoints, (message, version, found) =>
    endpointsFromXds(message, false, version, found),
  );
  const secrets = convertAll('secrets', Secret, resources.secrets, secretFromXds);
  if (problems.length > 0) {
    return { problems };
  }
  return {
    ok: {
      listeners: new Map(listeners.map(({ listener }) => [listener.name, listener])),
      routes: new Map(
        [...routes, ...listeners.flatMap(({ inlineRoutes }) => inlineRoutes)].map((table) => [table.name, table]),
      ),
      clusters: new Map(clusters.map((cluster) => [cluster.name, cluster])),
      endpoints: new Map(endpoints.map((assignment) => [assignment.clusterName, assignment])),
      secrets: new Map(secrets.map((secret) => [secret.name, secret])),
    },
  };
}
