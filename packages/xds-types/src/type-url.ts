import type { Brand } from '@weft/base';

/** The name of a message type on the wire: `type.googleapis.com/envoy.config.cluster.v3.Cluster`. */
export type TypeUrl = Brand<string, 'TypeUrl'>;

const prefix = 'type.googleapis.com/';

/** The type URL of a protobuf full name. */
export function typeUrlOf(fullName: string): TypeUrl {
  return `${prefix}${fullName}` as TypeUrl;
}

/** The resource types of xDS, in the order in which they are to be made known (make before break). */
export const typeUrls = {
  cluster: typeUrlOf('envoy.config.cluster.v3.Cluster'),
  endpoint: typeUrlOf('envoy.config.endpoint.v3.ClusterLoadAssignment'),
  secret: typeUrlOf('envoy.extensions.transport_sockets.tls.v3.Secret'),
  listener: typeUrlOf('envoy.config.listener.v3.Listener'),
  routeConfiguration: typeUrlOf('envoy.config.route.v3.RouteConfiguration'),
  virtualHost: typeUrlOf('envoy.config.route.v3.VirtualHost'),
} as const;
