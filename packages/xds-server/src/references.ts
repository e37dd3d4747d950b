import { type TypeUrl, typeUrls, unpackAny } from '@weft/xds-types';
import { Cluster, Cluster_DiscoveryType } from '@weft/xds-types/envoy/config/cluster/v3/cluster.ts';
import { Listener } from '@weft/xds-types/envoy/config/listener/v3/listener.ts';
import { HttpConnectionManager } from '@weft/xds-types/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.ts';
import type { EncodedResource } from './snapshot.ts';

/** A resource that a client will ask for because it got another one. */
export interface ResourceReference {
  readonly typeUrl: TypeUrl;
  readonly name: string;
}

const none: readonly ResourceReference[] = [];
const memo = new WeakMap<EncodedResource, readonly ResourceReference[]>();

/**
 * The endpoints that a cluster names and the route configurations that a listener names; what other types refer to is not
 * looked at. Decoded once for each version of a resource. Bytes that cannot be decoded refer to nothing.
 */
export function referencesOf(resource: EncodedResource): readonly ResourceReference[] {
  let references = memo.get(resource);
  if (references === undefined) {
    references = decodeReferences(resource);
    memo.set(resource, references);
  }
  return references;
}

function decodeReferences(resource: EncodedResource): readonly ResourceReference[] {
  try {
    switch (resource.typeUrl) {
      case typeUrls.cluster:
        return clusterReferences(Cluster.decode(resource.value));
      case typeUrls.listener:
        return listenerReferences(Listener.decode(resource.value));
      default:
        return none;
    }
  } catch {
    return none;
  }
}

function clusterReferences(cluster: Cluster): readonly ResourceReference[] {
  const type = cluster.clusterDiscoveryType;
  if (type?.$case !== 'type' || type.value !== Cluster_DiscoveryType.EDS) {
    return none;
  }
  const serviceName = cluster.edsClusterConfig?.serviceName ?? '';
  return [{ typeUrl: typeUrls.endpoint, name: serviceName === '' ? cluster.name : serviceName }];
}

const hcmTypeUrl =
  'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager' as TypeUrl;

function listenerReferences(listener: Listener): readonly ResourceReference[] {
  const chains = [...listener.filterChains, ...(listener.defaultFilterChain ? [listener.defaultFilterChain] : [])];
  const managers = chains.flatMap((chain) =>
    chain.filters.map((filter) =>
      filter.configType?.$case === 'typedConfig'
        ? unpackAny(filter.configType.value, hcmTypeUrl, HttpConnectionManager)
        : undefined,
    ),
  );
  managers.push(unpackAny(listener.apiListener?.apiListener, hcmTypeUrl, HttpConnectionManager));
  const names = new Set<string>();
  for (const manager of managers) {
    if (manager?.routeSpecifier?.$case === 'rds') {
      names.add(manager.routeSpecifier.value.routeConfigName);
    }
  }
  return [...names].map((name) => ({ typeUrl: typeUrls.routeConfiguration, name }));
}
