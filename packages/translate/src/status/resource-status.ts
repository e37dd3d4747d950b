import { isDeepStrictEqual } from 'node:util';
import { type OriginRef, originKey } from '@weft/ir';
import {
  compareText,
  type DestinationRule,
  type IstioGateway,
  type MeshKindName,
  type MeshKinds,
  type PeerAuthentication,
  type ProxyResource,
  type ServiceEntry,
  type Sidecar,
  type VirtualService,
} from '../kinds.ts';
import { originOf } from '../origin.ts';
import { sameItems } from '../state/memo-table.ts';
import { forSidecars, isForSome, type MeshState } from '../state/mesh-state.ts';
import { portOf } from '../state/service-model.ts';
import { httpRulesOf } from '../to-ir/delegation.ts';
import { resolveDestination } from '../to-ir/destination.ts';
import { serverSockets } from '../to-ir/istio-gateway.ts';
import { certificateProblem } from '../to-ir/key-pair-secret.ts';
import { mirrorSpecs } from '../to-ir/mirrors.ts';
import { clientRootsProblem, revocationProblem } from '../to-ir/roots-secret.ts';
import { isUnixAddress } from '../unix-address.ts';
import { describe } from './describe.ts';
import { destinationRuleFacts } from './destination-rule-facts.ts';
import { notYetSupported } from './not-yet-supported.ts';
import { kubeGatewayWithPort, proxyWithoutPort } from './shared-ports.ts';

/** A condition without what only the writer of the status knows (`observedGeneration`, `lastTransitionTime`). */
export interface StatusCondition {
  readonly type: 'Accepted' | 'Conflicted' | 'ResolvedRefs' | 'NotYetSupported';
  readonly status: 'True' | 'False';
  readonly reason: string;
  readonly message: string;
}

/**
 * What translation says about one resource. `Accepted` is always there, `ResolvedRefs` where a kind refers to others; `Conflicted`
 * and `NotYetSupported` are there only when they hold, and a status that has them otherwise must lose them.
 */
export interface ResourceStatus {
  readonly origin: OriginRef;
  readonly conditions: readonly StatusCondition[];
}

const kindsWithStatus: readonly MeshKindName[] = [
  '/Service',
  'networking.istio.io/DestinationRule',
  'networking.istio.io/Gateway',
  'networking.istio.io/ProxyConfig',
  'networking.istio.io/ServiceEntry',
  'networking.istio.io/Sidecar',
  'networking.istio.io/VirtualService',
  'networking.istio.io/WorkloadEntry',
  'networking.istio.io/WorkloadGroup',
  'security.istio.io/PeerAuthentication',
  'weft.dev/Proxy',
];

const last = new WeakMap<MeshState, ReadonlyMap<string, ResourceStatus>>();

/**
 * The status of every resource that translation reads and that has a status, by `originKey`. A resource about which nothing new is
 * to be said has the same object as last time; when that is true of all, the map is the same, too.
 */
export function resourceStatus(state: MeshState): ReadonlyMap<string, ResourceStatus> {
  const statuses = new Map<string, ResourceStatus>();
  for (const kind of kindsWithStatus) {
    for (const object of state.objects(kind)) {
      const key = originKey(originOf(object));
      statuses.set(
        key,
        state.reads.remember(`status|${key}`, [object], () => statusOf(state, kind, object)),
      );
    }
  }
  const previous = last.get(state);
  const same =
    previous !== undefined &&
    sameItems([...previous.keys()], [...statuses.keys()]) &&
    sameItems([...previous.values()], [...statuses.values()]);
  const result = same ? previous : statuses;
  last.set(state, result);
  return result;
}

function statusOf(state: MeshState, kind: MeshKindName, object: MeshKinds[MeshKindName]): ResourceStatus {
  const facts = factsOf(state, kind, object);
  const origin = originOf(object);
  // Other reads can lead to the same sentences: then it is the same object.
  return state.memo.get(`status|${originKey(origin)}`, [origin, JSON.stringify(facts)] as const, ([ref]) => ({
    origin: ref,
    conditions: conditions(facts),
  }));
}

interface Facts {
  /** What an older resource has already: `host a by VirtualService b/c`. */
  readonly conflicts: readonly string[];
  /** Whether nothing of the resource is left. */
  readonly overruled: boolean;
  /** undefined: the kind refers to nothing. */
  readonly unresolved: readonly string[] | undefined;
  readonly unsupported: readonly string[];
  /** What a BackendTLSPolicy says in its place: `TLS to a:443 by BackendTLSPolicy b/c`. Absent: nothing. */
  readonly tlsElsewhere?: readonly string[];
  /** Places that others have whatever their age: `port 80 (servers[0]) by Gateway a/b, as the Gateway API goes first`. Absent: none. */
  readonly placesElsewhere?: readonly string[];
}

function factsOf(state: MeshState, kind: MeshKindName, object: MeshKinds[MeshKindName]): Facts {
  const unsupported = notYetSupported(state, object);
  switch (kind) {
    case 'networking.istio.io/VirtualService':
      return { ...virtualServiceFacts(state, object as VirtualService), unsupported };
    case 'networking.istio.io/DestinationRule':
      return { ...destinationRuleFacts(state, object as DestinationRule), unsupported };
    case 'networking.istio.io/Gateway':
      return { ...istioGatewayFacts(state, object as IstioGateway), unsupported };
    case 'networking.istio.io/ServiceEntry':
      return { ...serviceEntryFacts(state, object as ServiceEntry), unresolved: undefined, unsupported };
    case 'networking.istio.io/Sidecar': {
      const winner = shadowingSidecar(state, object as Sidecar);
      const conflicts = winner === undefined ? [] : [`the namespace by ${describe(winner)}`];
      const unresolved = unresolvedEgressProxy(state, object as Sidecar);
      return { conflicts, overruled: winner !== undefined, unresolved, unsupported };
    }
    case 'security.istio.io/PeerAuthentication': {
      const winner = state.peerAuthentications.shadowing(object as PeerAuthentication);
      const conflicts = winner === undefined ? [] : [`the scope by ${describe(winner)}`];
      return { conflicts, overruled: winner !== undefined, unresolved: undefined, unsupported };
    }
    case 'weft.dev/Proxy':
      return {
        conflicts: [],
        overruled: false,
        unresolved: unresolvedUpstreams(state, object as ProxyResource),
        unsupported,
      };
    default:
      return { conflicts: [], overruled: false, unresolved: undefined, unsupported };
  }
}

function virtualServiceFacts(state: MeshState, object: VirtualService): Omit<Facts, 'unsupported'> {
  const key = `${object.metadata.namespace}/${object.metadata.name}`;
  const hosts = state.virtualServices.hostsOf(key);
  const winners = hosts.map((host) => state.virtualServices.exact(host).find(forSidecars));
  const lost = hosts.flatMap((host, index) => {
    const winner = winners[index];
    return !forSidecars(object) || winner === undefined || winner === object
      ? []
      : [`host ${host} by ${describe(winner)}`];
  });
  const namespace = object.metadata.namespace ?? '';
  const client = { namespace, labels: {} };
  const http = httpRulesOf(state, object);
  const unresolved = new Set<string>(http.problems);
  const destinations = [
    ...http.rules.flatMap((entry) =>
      [...(entry.rule.route ?? []), ...mirrorSpecs(entry.rule)].map(({ destination }) => ({
        destination,
        from: entry.namespace,
      })),
    ),
    ...[...(object.spec?.tcp ?? []), ...(object.spec?.tls ?? [])].flatMap(({ route }) =>
      (route ?? []).map(({ destination }) => ({ destination, from: namespace })),
    ),
  ];
  for (const { destination, from } of destinations) {
    // A destination without a port takes that of the request, which is only known per request.
    const service = state.resolveHost(destination.host, from, namespace);
    const anyPort = service?.ports.find(({ protocol }) => protocol !== 'udp')?.number ?? 0;
    const { missing } = resolveDestination(state, client, destination, from, anyPort);
    if (missing !== undefined) {
      unresolved.add(missing);
    }
  }
  return { conflicts: lost, overruled: lost.length > 0 && lost.length === hosts.length, unresolved: [...unresolved] };
}

/** Conflicts are looked for among the Gateways that choose the same proxies. */
function istioGatewayFacts(state: MeshState, object: IstioGateway): Omit<Facts, 'unsupported'> {
  const rivals = state
    .list('networking.istio.io/Gateway')
    .filter(({ spec }) => isDeepStrictEqual(spec?.selector ?? {}, object.spec?.selector ?? {}));
  // Which address the gateway has is not known here; it is that of `weft gateway` without flags.
  const open = serverSockets(rivals, '127.0.0.1');
  const ports = open.map(({ port }) => port);
  const conflicts: string[] = [];
  const placesElsewhere: string[] = [];
  for (const [index, server] of (object.spec?.servers ?? []).entries()) {
    const { bind = '' } = server;
    const { number } = server.port;
    const isUnix = isUnixAddress(bind);
    const place = `${isUnix ? bind : `port ${number}`} (servers[${index}])`;
    const elsewhere = isUnix ? undefined : portElsewhere(state, object, number, ports);
    const there = open
      .filter(({ port, address }) => (isUnix ? address === bind : port === number))
      .flatMap(({ servers }) => servers);
    const [first] = there;
    if (elsewhere !== undefined) {
      placesElsewhere.push(`${place} by ${elsewhere}`);
    } else if (first !== undefined && !there.some((owned) => owned.gateway === object && owned.index === index)) {
      conflicts.push(`${place} by ${describe(first.gateway)}`);
    }
  }
  const namespace = object.metadata.namespace ?? '';
  // Secrets are looked for where the gateway's proxies are, which is where the Gateway is unless somebody says otherwise.
  const unresolved = (object.spec?.servers ?? []).flatMap(({ tls = {} }, index) => {
    const names = [...(tls.credentialNames ?? []), ...(tls.credentialName === undefined ? [] : [tls.credentialName])];
    const ofCertificates = names.flatMap((name) => {
      const secret = state.object('/Secret', `${namespace}/${name}`);
      return (secret === undefined ? `there is no Secret ${namespace}/${name}` : certificateProblem(secret)) ?? [];
    });
    const ofClients = [clientRootsProblem(state, namespace, tls) ?? [], revocationProblem(state, namespace, tls) ?? []];
    const problems = [...ofCertificates, ...ofClients.flat()];
    return problems.map((problem) => `servers[${index}]: ${problem}`);
  });
  const servers = object.spec?.servers ?? [];
  const lost = conflicts.length + placesElsewhere.length;
  return { conflicts, placesElsewhere, overruled: lost > 0 && lost === servers.length, unresolved };
}

/** What has a port of a Gateway of Istio that nobody's age decides about. */
function portElsewhere(
  state: MeshState,
  gateway: IstioGateway,
  port: number,
  opened: readonly number[],
): string | undefined {
  const kube = kubeGatewayWithPort(state, gateway, port);
  if (kube !== undefined) {
    return `${describe(kube)}, as the Gateway API goes first`;
  }
  const given = proxyWithoutPort(state, gateway, port, opened);
  return given && `port ${given.other}, for which ${describe(given.proxy)} listens there`;
}

function serviceEntryFacts(state: MeshState, object: ServiceEntry): Pick<Facts, 'conflicts' | 'overruled'> {
  const lost = object.spec.hosts.flatMap((host) => {
    const [winner] = state.services.claims(host.toLowerCase());
    return winner === undefined || winner.object === object ? [] : [`host ${host} by ${describe(winner.object)}`];
  });
  return { conflicts: lost, overruled: lost.length > 0 && lost.length === object.spec.hosts.length };
}

function unresolvedUpstreams(state: MeshState, proxy: ProxyResource): readonly string[] {
  const namespace = proxy.metadata.namespace ?? '';
  return (proxy.spec.upstreams ?? []).flatMap(({ host, port }) => {
    const service = state.resolveHost(host, namespace, namespace);
    if (service === undefined) {
      return [`upstream ${host}:${port}: host ${host} is not known`];
    }
    return portOf(service, port) === undefined ? [`upstream ${host}:${port}: ${service.host} has no port ${port}`] : [];
  });
}

/** The older Sidecar for the whole namespace, because of which another one applies to nothing. */
function shadowingSidecar(state: MeshState, object: Sidecar): Sidecar | undefined {
  const winner = state.sidecars.exact(object.metadata.namespace ?? '').find((other) => !isForSome(other));
  return isForSome(object) || winner === object ? undefined : winner;
}

function unresolvedEgressProxy(state: MeshState, sidecar: Sidecar): readonly string[] | undefined {
  const egressProxy = sidecar.spec?.outboundTrafficPolicy?.egressProxy;
  const { namespace = '' } = sidecar.metadata;
  return egressProxy === undefined
    ? undefined
    : [resolveDestination(state, { namespace, labels: {} }, egressProxy, namespace, 0).missing ?? []].flat();
}

function conditions(facts: Facts): readonly StatusCondition[] {
  const list: StatusCondition[] = [
    facts.overruled
      ? {
          type: 'Accepted',
          status: 'False',
          reason: 'Conflicted',
          message: `${facts.conflicts.length > 0 ? 'an older resource has' : 'others have'} everything it is for`,
        }
      : { type: 'Accepted', status: 'True', reason: 'Valid', message: 'the resource is valid' },
  ];
  const { conflicts, tlsElsewhere = [], placesElsewhere = [] } = facts;
  const reasons = [
    ...(placesElsewhere.length === 0 ? [] : [`taken already: ${placesElsewhere.join('; ')}`]),
    ...(conflicts.length === 0 ? [] : [`taken already: ${conflicts.join('; ')}; the oldest resource wins`]),
    ...(tlsElsewhere.length === 0
      ? []
      : [`said already: ${tlsElsewhere.join('; ')}, which no rule of a client takes back`]),
  ];
  if (reasons.length > 0) {
    const reason =
      conflicts.length > 0 ? 'OlderResourceWins' : tlsElsewhere.length > 0 ? 'BackendTLSPolicyWins' : 'PlaceTaken';
    list.push({ type: 'Conflicted', status: 'True', reason, message: reasons.join('; ') });
  }
  if (facts.unresolved !== undefined) {
    list.push(
      facts.unresolved.length === 0
        ? { type: 'ResolvedRefs', status: 'True', reason: 'Resolved', message: 'all references are known' }
        : { type: 'ResolvedRefs', status: 'False', reason: 'NotFound', message: facts.unresolved.join('; ') },
    );
  }
  if (facts.unsupported.length > 0) {
    const message = `valid, but nothing acts on it yet: ${[...facts.unsupported].sort(compareText).join(', ')}`;
    list.push({ type: 'NotYetSupported', status: 'True', reason: 'FieldsNotActedUpon', message });
  }
  return list;
}
