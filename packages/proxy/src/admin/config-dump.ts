import type { ResourceState, XdsClientState } from '@weft/xds-client';
import { type TypeUrl, typeUrls } from '@weft/xds-types';
import type { Bootstrap } from '../bootstrap/bootstrap.ts';
import { Cluster } from '../runtime-config/wire/cluster-schema.ts';
import { ClusterLoadAssignment } from '../runtime-config/wire/endpoint-schema.ts';
import { jsonFromBytes } from '../runtime-config/wire/json.ts';
import { Listener } from '../runtime-config/wire/listener-schema.ts';
import { RouteConfiguration, VirtualHost } from '../runtime-config/wire/route-schema.ts';
import type { AnyMessage, JsonObject, JsonValue } from '../runtime-config/wire/schema.ts';
import { Secret } from '../runtime-config/wire/tls-schema.ts';
import type { AdminContext } from './admin-context.ts';

/** `envoy.admin.v3.ConfigDump`: what was received, in Envoy's shape, with key material left out. */
export function configDump(context: AdminContext, withEndpoints: boolean): JsonObject {
  const state = context.xdsState();
  const sections = [clustersDump, listenersDump, routesDump, secretsDump];
  return {
    configs: [
      bootstrapDump(context.bootstrap),
      ...sections.map((section) => section(state)),
      ...(withEndpoints ? [endpointsDump(state)] : []),
    ],
  };
}

/** The bootstrap as it was given: it names the file with the join token, and does not hold it. */
function bootstrapDump(bootstrap: Bootstrap): JsonObject {
  const { node, static: fixed } = bootstrap;
  return {
    '@type': 'type.googleapis.com/envoy.admin.v3.BootstrapConfigDump',
    bootstrap: {
      node: {
        id: node.id,
        cluster: node.cluster,
        metadata: node.metadata,
        locality: { region: node.locality.region, zone: node.locality.zone, sub_zone: node.locality.subZone },
      },
      ...(fixed === undefined ? {} : { static_resources: { listeners: fixed.listeners, clusters: fixed.clusters } }),
    },
  };
}

function resourcesOf(state: XdsClientState | undefined, typeUrl: TypeUrl): readonly ResourceState[] {
  return state?.types.find((type) => type.typeUrl === typeUrl)?.resources ?? [];
}

function versionOf(state: XdsClientState | undefined, typeUrl: TypeUrl): string {
  return state?.types.find((type) => type.typeUrl === typeUrl)?.version ?? '';
}

function clientStatus(resource: ResourceState): string {
  if (resource.refused !== undefined) {
    return 'NACKED';
  }
  switch (resource.status) {
    case 'requested':
      return 'REQUESTED';
    case 'missing':
      return 'DOES_NOT_EXIST';
    default:
      return 'ACKED';
  }
}

/** The part that all kinds of entries share: `version_info`, the resource, when, and the last refusal. */
function entry(resource: ResourceState, field: string, schema: AnyMessage): Record<string, JsonValue> {
  const { bytes, refused, updatedAtMs } = resource;
  return {
    ...(bytes === undefined
      ? {}
      : {
          version_info: resource.version,
          [field]: { '@type': `type.googleapis.com/${schema.name}`, ...jsonFromBytes(schema, bytes) },
        }),
    ...(updatedAtMs === undefined ? {} : { last_updated: new Date(updatedAtMs).toISOString() }),
    client_status: clientStatus(resource),
    ...(refused === undefined
      ? {}
      : {
          error_state: {
            version_info: refused.version,
            details: refused.reason,
            last_update_attempt: new Date(refused.atMs).toISOString(),
          },
        }),
  };
}

function clustersDump(state: XdsClientState | undefined): JsonObject {
  const resources = resourcesOf(state, typeUrls.cluster);
  return {
    '@type': 'type.googleapis.com/envoy.admin.v3.ClustersConfigDump',
    version_info: versionOf(state, typeUrls.cluster),
    dynamic_active_clusters: resources
      .filter(({ status }) => status !== 'warming')
      .map((resource) => entry(resource, 'cluster', Cluster)),
    dynamic_warming_clusters: resources
      .filter(({ status }) => status === 'warming')
      .map((resource) => entry(resource, 'cluster', Cluster)),
  };
}

function listenersDump(state: XdsClientState | undefined): JsonObject {
  return {
    '@type': 'type.googleapis.com/envoy.admin.v3.ListenersConfigDump',
    version_info: versionOf(state, typeUrls.listener),
    dynamic_listeners: resourcesOf(state, typeUrls.listener).map((resource) => {
      const { client_status: status = '', error_state: error, ...own } = entry(resource, 'listener', Listener);
      return {
        name: resource.name,
        ...(resource.bytes === undefined
          ? {}
          : { [resource.status === 'warming' ? 'warming_state' : 'active_state']: own }),
        ...(error === undefined ? {} : { error_state: error }),
        client_status: status,
      };
    }),
  };
}

/** Envoy has no section for virtual hosts that came by VHDS: they are shown in their route configuration. */
function routesDump(state: XdsClientState | undefined): JsonObject {
  const hosts = resourcesOf(state, typeUrls.virtualHost);
  return {
    '@type': 'type.googleapis.com/envoy.admin.v3.RoutesConfigDump',
    dynamic_route_configs: resourcesOf(state, typeUrls.routeConfiguration).map((resource) => {
      const dumped = entry(resource, 'route_config', RouteConfiguration);
      const table = dumped['route_config'] as { readonly virtual_hosts?: readonly JsonValue[] } | undefined;
      const own = hosts
        .filter(({ name, bytes }) => bytes !== undefined && name.slice(0, name.lastIndexOf('/')) === resource.name)
        .map(({ bytes }) => jsonFromBytes(VirtualHost, bytes ?? new Uint8Array(0)));
      return table === undefined || own.length === 0
        ? dumped
        : { ...dumped, route_config: { ...table, virtual_hosts: [...(table.virtual_hosts ?? []), ...own] } };
    }),
  };
}

function secretsDump(state: XdsClientState | undefined): JsonObject {
  const resources = resourcesOf(state, typeUrls.secret);
  const dump = (resource: ResourceState): JsonObject => ({
    name: resource.name,
    ...entry(resource, 'secret', Secret),
  });
  return {
    '@type': 'type.googleapis.com/envoy.admin.v3.SecretsConfigDump',
    dynamic_active_secrets: resources.filter(({ bytes }) => bytes !== undefined).map(dump),
    dynamic_warming_secrets: resources.filter(({ bytes }) => bytes === undefined).map(dump),
  };
}

function endpointsDump(state: XdsClientState | undefined): JsonObject {
  return {
    '@type': 'type.googleapis.com/envoy.admin.v3.EndpointsConfigDump',
    dynamic_endpoint_configs: resourcesOf(state, typeUrls.endpoint).map((resource) =>
      entry(resource, 'endpoint_config', ClusterLoadAssignment),
    ),
  };
}
