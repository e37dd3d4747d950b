import type { DecodeResult, Reference, ResourceType } from '@weft/xds-client';
import { typeUrls } from '@weft/xds-types';
import type {
  ClusterConfig,
  ClusterEndpoints,
  ListenerConfig,
  NetworkFilter,
  RouteTable,
  SecretConfig,
  TlsCommon,
  VirtualHost,
} from '../config.ts';
import { Cluster } from '../wire/cluster-schema.ts';
import { decodeMessage } from '../wire/decode.ts';
import { ClusterLoadAssignment } from '../wire/endpoint-schema.ts';
import { Listener } from '../wire/listener-schema.ts';
import { Problems } from '../wire/problems.ts';
import { RouteConfiguration, VirtualHost as VirtualHostSchema } from '../wire/route-schema.ts';
import type { AnyMessage, Decoded } from '../wire/schema.ts';
import { Secret } from '../wire/tls-schema.ts';
import { clusterFromXds } from './cluster.ts';
import { contentVersion } from './content-version.ts';
import { endpointsFromXds } from './endpoint.ts';
import { type ListenerResource, listenerFromXds } from './listener.ts';
import { routeTableFromXds, virtualHostResourceFromXds } from './route-configuration.ts';
import { secretFromXds } from './secret.ts';

/** Largest single resource, bytes. */
const MAX_RESOURCE_BYTES = 16 * 1024 * 1024;

/** The types of resources that the proxy understands, by what they decode to. */
export interface ResourceValues {
  readonly listener: ListenerResource;
  readonly route: RouteTable;
  readonly virtualHost: VirtualHost;
  readonly cluster: ClusterConfig;
  readonly endpoints: ClusterEndpoints;
  readonly secret: SecretConfig;
}

/** All types, in the order in which they are made known. */
export const resourceTypes: readonly ResourceType[] = [
  resourceType(typeUrls.cluster, 'wildcard', Cluster, 'name', clusterFromXds, clusterReferences),
  resourceType(
    typeUrls.endpoint,
    'by-reference',
    ClusterLoadAssignment,
    'cluster_name',
    (value, version, problems) => endpointsFromXds(value, false, version, problems),
    () => [],
  ),
  resourceType(typeUrls.secret, 'by-reference', Secret, 'name', secretFromXds, () => []),
  resourceType(typeUrls.listener, 'wildcard', Listener, 'name', listenerFromXds, ({ listener, inlineRoutes }) => [
    ...listenerReferences(listener),
    ...inlineRoutes.flatMap(routeReferences),
  ]),
  resourceType(
    typeUrls.routeConfiguration,
    'by-reference',
    RouteConfiguration,
    'name',
    routeTableFromXds,
    routeReferences,
  ),
  resourceType(
    typeUrls.virtualHost,
    'by-reference',
    VirtualHostSchema,
    undefined,
    (value, _version, problems) => virtualHostResourceFromXds(value, problems),
    () => [],
  ),
];

/**
 * @param nameField where the message repeats the resource's name; undefined where it does not (a virtual host's resource name
 * is `<route configuration>/<authority>`).
 */
function resourceType<M extends AnyMessage, T>(
  typeUrl: ResourceType['typeUrl'],
  subscription: ResourceType['subscription'],
  schema: M,
  nameField: (keyof Decoded<M> & string) | undefined,
  convert: (message: Decoded<M>, version: string, problems: Problems) => T | undefined,
  references: (value: T) => readonly Reference[],
): ResourceType {
  const type: ResourceType<T> = {
    typeUrl,
    subscription,
    decode: (name, bytes) => decodeResource(name, bytes, schema, nameField, convert),
    nameOf: (bytes) => {
      const message = decodeMessage(schema, bytes, new Problems());
      const name: unknown = nameField === undefined ? undefined : message[nameField];
      return typeof name === 'string' && name !== '' ? name : undefined;
    },
    references,
  };
  return type as ResourceType;
}

function decodeResource<M extends AnyMessage, T>(
  name: string,
  bytes: Uint8Array,
  schema: M,
  nameField: (keyof Decoded<M> & string) | undefined,
  convert: (message: Decoded<M>, version: string, problems: Problems) => T | undefined,
): DecodeResult<T> {
  if (bytes.length > MAX_RESOURCE_BYTES) {
    return { error: [`has ${bytes.length} bytes, more than the limit of ${MAX_RESOURCE_BYTES}`] };
  }
  const problems = new Problems();
  const message = decodeMessage(schema, bytes, problems);
  // Converters rely on a message that decoded: an enum value that is not known would be undefined, for example.
  if (!problems.empty) {
    return { error: problems.lines() };
  }
  const own: unknown = nameField === undefined ? name : message[nameField];
  if (own !== name) {
    problems.add(`is ${JSON.stringify(own)} but the resource was sent as ${JSON.stringify(name)}`, nameField);
  }
  const value = convert(message, contentVersion(bytes), problems);
  return problems.empty && value !== undefined ? { ok: value } : { error: problems.lines() };
}

function clusterReferences(cluster: ClusterConfig): Reference[] {
  const secrets = [
    cluster.transportSocket,
    ...cluster.transportSocketMatches.map((match) => match.transportSocket),
  ].flatMap((socket) => (socket.kind === 'tls' ? secretReferences(socket.tls) : []));
  return cluster.discovery.kind === 'eds'
    ? [{ typeUrl: typeUrls.endpoint, name: cluster.discovery.serviceName, whenMissing: 'proceed' }, ...secrets]
    : secrets;
}

function listenerReferences(listener: ListenerConfig): Reference[] {
  const chains = [...listener.filterChains, ...(listener.defaultFilterChain ? [listener.defaultFilterChain] : [])];
  return chains.flatMap(({ filter, downstreamTls }) => [
    ...filterReferences(listener, filter),
    ...(downstreamTls === undefined ? [] : secretReferences(downstreamTls)),
  ]);
}

function filterReferences(listener: ListenerConfig, filter: NetworkFilter): Reference[] {
  const inline = filter.kind === 'http-connection-manager' && filter.routeConfigName.startsWith(`${listener.name}/`);
  return filter.kind === 'tcp-proxy' || (inline && filter.routeConfigName.endsWith('/inline'))
    ? []
    : [{ typeUrl: typeUrls.routeConfiguration, name: filter.routeConfigName, whenMissing: 'proceed' }];
}

function secretReferences(tls: TlsCommon): Reference[] {
  return [...tls.certificates, tls.validation?.trustBundle]
    .filter((ref) => ref !== undefined)
    .filter(({ source }) => source === 'ads')
    .map(({ name }) => ({ typeUrl: typeUrls.secret, name, whenMissing: 'wait' }));
}

/** With VHDS, all virtual hosts that the server has for us, besides what is asked for on demand. */
function routeReferences(table: RouteTable): Reference[] {
  return table.vhds ? [{ typeUrl: typeUrls.virtualHost, name: '*', whenMissing: 'proceed' }] : [];
}
