import { type TypeUrl, typeUrls, unpackAny } from '@weft/xds-types';
import { Cluster, Cluster_DiscoveryType } from '@weft/xds-types/envoy/config/cluster/v3/cluster.ts';
import { Listener } from '@weft/xds-types/envoy/config/listener/v3/listener.ts';
import type { Filter, FilterChain } from '@weft/xds-types/envoy/config/listener/v3/listener_components.ts';
import { RouteConfiguration } from '@weft/xds-types/envoy/config/route/v3/route.ts';
import { type RouteAction, VirtualHost } from '@weft/xds-types/envoy/config/route/v3/route_components.ts';
import { HttpConnectionManager } from '@weft/xds-types/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.ts';
import { TcpProxy } from '@weft/xds-types/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy.ts';
import type { EncodedResource } from './snapshot.ts';

/** What a client needs besides, once it has a resource. */
export interface References {
  /** Endpoints that a cluster takes by EDS. */
  readonly endpoints: readonly string[];
  /** Route configurations that a listener takes by RDS. */
  readonly routes: readonly string[];
  /** Clusters that a listener, a route configuration or a virtual host sends traffic to. */
  readonly clusters: readonly string[];
  /** The route configuration takes virtual hosts on demand. */
  readonly onDemand: boolean;
}

const none: References = { endpoints: [], routes: [], clusters: [], onDemand: false };
const memo = new WeakMap<EncodedResource, References>();

/** What `resource` refers to. Decoded once for each version of a resource; bytes that cannot be decoded refer to nothing. */
export function referencesOf(resource: EncodedResource): References {
  let references = memo.get(resource);
  if (references === undefined) {
    references = decodeReferences(resource);
    memo.set(resource, references);
  }
  return references;
}

function decodeReferences(resource: EncodedResource): References {
  try {
    switch (resource.typeUrl) {
      case typeUrls.cluster:
        return { ...none, endpoints: endpointsOf(Cluster.decode(resource.value)) };
      case typeUrls.listener:
        return listenerReferences(Listener.decode(resource.value));
      case typeUrls.routeConfiguration: {
        const table = RouteConfiguration.decode(resource.value);
        return {
          ...none,
          clusters: distinct(table.virtualHosts.flatMap(clustersOf)),
          onDemand: table.vhds !== undefined,
        };
      }
      case typeUrls.virtualHost:
        return { ...none, clusters: distinct(clustersOf(VirtualHost.decode(resource.value))) };
      default:
        return none;
    }
  } catch {
    return none;
  }
}

function endpointsOf(cluster: Cluster): readonly string[] {
  const type = cluster.clusterDiscoveryType;
  if (type?.$case !== 'type' || type.value !== Cluster_DiscoveryType.EDS) {
    return [];
  }
  const serviceName = cluster.edsClusterConfig?.serviceName ?? '';
  return [serviceName === '' ? cluster.name : serviceName];
}

const filters = 'type.googleapis.com/envoy.extensions.filters.network';
const httpManager = `${filters}.http_connection_manager.v3.HttpConnectionManager` as TypeUrl;
const tcpProxy = `${filters}.tcp_proxy.v3.TcpProxy` as TypeUrl;

function listenerReferences(listener: Listener): References {
  const chains: readonly (FilterChain | undefined)[] = [...listener.filterChains, listener.defaultFilterChain];
  const all = chains.flatMap((chain) => chain?.filters ?? []);
  const managers = [
    ...all.map((filter) => configOf(filter, httpManager, HttpConnectionManager)),
    unpackAny(listener.apiListener?.apiListener, httpManager, HttpConnectionManager),
  ];
  const routes: string[] = [];
  const clusters = all.flatMap((filter) => tcpClustersOf(configOf(filter, tcpProxy, TcpProxy)));
  for (const manager of managers) {
    if (manager?.routeSpecifier?.$case === 'rds') {
      routes.push(manager.routeSpecifier.value.routeConfigName);
    } else if (manager?.routeSpecifier?.$case === 'routeConfig') {
      clusters.push(...manager.routeSpecifier.value.virtualHosts.flatMap(clustersOf));
    }
  }
  return { ...none, routes: distinct(routes), clusters: distinct(clusters) };
}

function configOf<T>(filter: Filter, typeUrl: TypeUrl, codec: Parameters<typeof unpackAny<T>>[2]): T | undefined {
  return filter.configType?.$case === 'typedConfig' ? unpackAny(filter.configType.value, typeUrl, codec) : undefined;
}

function tcpClustersOf(proxy: TcpProxy | undefined): readonly string[] {
  switch (proxy?.clusterSpecifier?.$case) {
    case 'cluster':
      return [proxy.clusterSpecifier.value];
    case 'weightedClusters':
      return proxy.clusterSpecifier.value.clusters.map(({ name }) => name);
    default:
      return [];
  }
}

function clustersOf(host: VirtualHost): readonly string[] {
  return host.routes.flatMap(({ action }) => (action?.$case === 'route' ? actionClusters(action.value) : []));
}

function actionClusters({ clusterSpecifier }: RouteAction): readonly string[] {
  switch (clusterSpecifier?.$case) {
    case 'cluster':
      return [clusterSpecifier.value];
    case 'weightedClusters':
      return clusterSpecifier.value.clusters.map(({ name }) => name);
    default:
      return [];
  }
}

function distinct(names: readonly string[]): readonly string[] {
  return [...new Set(names)];
}
