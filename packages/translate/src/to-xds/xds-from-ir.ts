import { invariant } from '@weft/base';
import {
  type Destination,
  type GatewayListener,
  type Inbound,
  type ListenAddress,
  type OriginRef,
  type ProxyEngine,
  type ServerNameRoute,
  type TcpLimits,
  type Upstream,
  validate,
  type WorkloadIr,
} from '@weft/ir';
import { typeUrls } from '@weft/xds-types';
import { compareText } from '../kinds.ts';
import { httpProxyName, localClusterName, upstreamName } from '../names.ts';
import { sameItems } from '../state/memo-table.ts';
import { socketText } from '../unix-address.ts';
import { inboundClusterMessage, outboundClusterMessage } from './cluster.ts';
import { gatewayListenerMessage, gatewayRoutesMessage, hasRoutes } from './gateway.ts';
import { httpProxyListener, inboundListener, upstreamListener } from './listener.ts';
import { localClusterMessage } from './local-cluster.ts';
import { perObject, type XdsMessage } from './message.ts';
import { tellsChains } from './misdirected.ts';
import { proxylessMessages } from './proxyless/proxyless-messages.ts';
import { firstVirtualHost, httpProxyRoutes, upstreamRoutes, virtualHostMessage } from './route-configuration.ts';

const typeOrder: readonly string[] = Object.values(typeUrls);

/** Listeners are kept by their socket; everything else that they are made from is compared. @param partsOf what is compared, by identity. */
function perSocket<R, I>(
  build: (socket: ListenAddress, inputs: I) => R,
  partsOf: (inputs: I) => readonly unknown[],
): typeof build {
  const made = new WeakMap<ListenAddress, { readonly parts: readonly unknown[]; readonly result: R }>();
  return (key, inputs) => {
    const known = made.get(key);
    const parts = partsOf(inputs);
    if (known !== undefined && sameItems(known.parts, parts)) {
      return known.result;
    }
    const result = build(key, inputs);
    made.set(key, { parts, result });
    return result;
  };
}

const allOf = (inputs: readonly unknown[]): readonly unknown[] => inputs;

/** What all listeners of a proxy have in common, one by one: they are compared by value. */
type Settings = readonly [WorkloadIr['accessLogPath'], WorkloadIr['pathNormalization']];

const httpProxyMessage = perSocket(
  (listen, [name, accessLogPath, pathNormalization]: readonly [string, ...Settings]) =>
    httpProxyListener(name, listen, { accessLogPath, pathNormalization }),
  allOf,
);
const upstreamMessage = perSocket(
  (
    listen,
    [name, kind, destinations, limits, byServerName, origins, accessLogPath, pathNormalization]: readonly [
      string,
      Upstream['kind'],
      readonly Destination[],
      TcpLimits | undefined,
      readonly ServerNameRoute[],
      readonly OriginRef[],
      ...Settings,
    ],
  ) =>
    upstreamListener(name, listen, kind, destinations, limits, byServerName, origins, {
      accessLogPath,
      pathNormalization,
    }),
  allOf,
);
const inboundMessage = perSocket(
  (
    _listen,
    [inbound, trustDomain, engine, accessLogPath, pathNormalization]: readonly [
      Inbound,
      string,
      ProxyEngine,
      ...Settings,
    ],
  ) => inboundListener(inbound, { trustDomain, engine }, { accessLogPath, pathNormalization }),
  allOf,
);

const gatewayMessage = perSocket(
  (
    _listen,
    [listener, trustDomain, accessLogPath, pathNormalization]: readonly [GatewayListener, string, ...Settings],
  ) => gatewayListenerMessage(listener, trustDomain, { accessLogPath, pathNormalization }),
  ([{ virtualHosts, chains, ...listener }, ...settings]) => [
    ...Object.values(listener),
    ...settings,
    tellsChains({ virtualHosts }),
    ...chains,
  ],
);

const gatewayRoutes = perSocket(
  (_listen, listener: GatewayListener) => gatewayRoutesMessage(listener),
  ({ virtualHosts }) => virtualHosts,
);

function upstreamListenerMessage(upstream: Upstream, settings: Settings): XdsMessage {
  const name = upstreamName(upstream);
  return upstream.kind === 'http'
    ? upstreamMessage(upstream.listen, [
        name,
        upstream.kind,
        noDestinations,
        undefined,
        noNames,
        noOrigins,
        ...settings,
      ])
    : upstreamMessage(upstream.listen, [
        name,
        upstream.kind,
        upstream.destinations,
        upstream.limits,
        upstream.byServerName,
        upstream.origins,
        ...settings,
      ]);
}

const noNames: readonly ServerNameRoute[] = [];
const noOrigins: readonly OriginRef[] = [];
const noDestinations: readonly Destination[] = [];

/**
 * Clusters, listeners, route configurations and virtual hosts of one proxy, in the order in which they are to be made known and
 * then by name. The same IR gives the same array, and pieces of the IR that did not change give the same messages.
 * @throws InvariantError when the IR is not sound, which would be a defect of translation: the caller keeps what it published last.
 */
export const xdsFromIr: (ir: WorkloadIr) => readonly XdsMessage[] = perObject((ir) => {
  const problems = validate(ir);
  invariant(
    problems.length === 0,
    `the IR is not sound: ${problems.map(({ path, message }) => `${path} ${message}`).join('; ')}`,
  );
  const { engine } = ir.workload;
  const messages = engine === 'grpc' ? proxylessMessages(ir) : proxyMessages(ir, engine);
  return messages.sort(
    (a, b) => typeOrder.indexOf(a.typeUrl) - typeOrder.indexOf(b.typeUrl) || compareText(a.name, b.name),
  );
});

function proxyMessages(ir: WorkloadIr, engine: ProxyEngine): XdsMessage[] {
  const settings: Settings = [ir.accessLogPath, ir.pathNormalization];
  const messages: XdsMessage[] = [
    ...ir.clusters.map(outboundClusterMessage[engine]),
    ...(knowsPeers(ir) ? [localClusterMessage] : []),
    ...distinctApps(ir.inbound).map(inboundClusterMessage),
    ...ir.upstreams.map((upstream) => upstreamListenerMessage(upstream, settings)),
    ...ir.upstreams.flatMap((upstream) => (upstream.kind === 'tcp' ? [] : [upstreamRoutes(upstream)])),
    ...ir.inbound.map((inbound) =>
      inboundMessage(inbound.listen, [inbound, ir.workload.trustDomain, engine, ...settings]),
    ),
  ];
  for (const listener of ir.gateway) {
    messages.push(
      gatewayMessage(listener.listen, [listener, ir.workload.trustDomain, ...settings]),
      ...(hasRoutes(listener) ? [gatewayRoutes(listener.listen, listener)] : []),
    );
  }
  if (ir.httpProxy !== undefined) {
    const { listen, alsoAt = [] } = ir.httpProxy;
    messages.push(
      ...(listen === undefined ? [] : [httpProxyMessage(listen, [httpProxyName, ...settings])]),
      ...alsoAt.map((more) => httpProxyMessage(more, [`${httpProxyName}|${socketText(more)}`, ...settings])),
      httpProxyRoutes,
      firstVirtualHost,
      ...ir.httpProxy.virtualHosts.map(virtualHostMessage),
    );
  }
  return messages;
}

/** Several listeners can lead to one port of the application, which is one cluster. */
function distinctApps(inbound: readonly Inbound[]): readonly Inbound[] {
  const ports = new Set<number>();
  return inbound.filter(({ app }) => !ports.has(app.port) && ports.add(app.port));
}

/** Whether the proxy has to know its peers: it balances something by zone. gRPC's own clients do not. */
function knowsPeers({ workload, clusters }: WorkloadIr): boolean {
  return workload.engine !== 'grpc' && clusters.some(({ zoneAware }) => zoneAware !== undefined);
}

/** Names of the load assignments that the clusters of an IR need. */
export const endpointNames: (ir: WorkloadIr) => readonly string[] = perObject((ir) => [
  ...ir.clusters.flatMap(({ discovery }) => (discovery.kind === 'endpoints' ? [discovery.assignment] : [])),
  ...(knowsPeers(ir) ? [localClusterName] : []),
]);
