import { isDeepStrictEqual } from 'node:util';
import type { KubeObject } from '@weft/resources';
import {
  byAge,
  type DestinationRule,
  type EndpointSlice,
  keyOf,
  kindNameOf,
  type MeshKindName,
  type MeshKinds,
  mesh,
  type PeerAuthentication,
  type ProxyResource,
  type RouteActionPolicy,
  type Service,
  type ServiceEntry,
  type Sidecar,
  type VirtualService,
  type WorkloadEntry,
} from '../kinds.ts';
import { exportedTo, gatewayKey, selects } from '../match.ts';
import { hostCandidates } from '../names.ts';
import { defaultMeshSettings, type MeshSettings } from '../settings.ts';
import { type EgressScope, egressScope, inScope } from './egress-scope.ts';
import { HostIndex } from './host-index.ts';
import { InstanceIndex } from './instance-index.ts';
import { MemoTable } from './memo-table.ts';
import { type MergedRule, mergeRules, rulesFor } from './merged-rule.ts';
import { type EffectivePeerAuthentication, PeerAuthenticationIndex } from './peer-authentication-index.ts';
import { PendingEffect } from './pending-effect.ts';
import { Reads } from './reads.ts';
import { routesOfPolicy } from './route-action-policies.ts';
import { type KubeRoute, RouteIndex } from './route-index.ts';
import { ServiceIndex } from './service-index.ts';
import { concreteService, modelsOfService, modelsOfServiceEntry, type ServiceModel } from './service-model.ts';
import { type SidecarListeners, sidecarListeners } from './sidecar-listeners.ts';
import { sameForTranslation } from './significant.ts';
import { labelsOf } from './workload.ts';
import { WorkloadIndex } from './workload-index.ts';

/** One change of the stored resources; a `MapChange` of a `WatchMap` of objects fits. */
export interface ResourceChange {
  /** The new object; undefined = it was deleted, and `previous` says which. */
  readonly value: KubeObject | undefined;
  readonly previous?: KubeObject | undefined;
}

/** What has to be made again after a change. */
export interface ChangeEffect {
  /** More than endpoints may differ: the IR of every proxy has to be asked for again (what did not change is the same object). */
  readonly config: boolean;
  /** Names of the load assignments that may differ. With `config` false nothing else has to be made again. */
  readonly endpointServices: ReadonlySet<string>;
}

/** Who asks: what a client may see and which rules apply to it depends on these alone. */
export interface Client {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  /** `region/zone/subzone` of the workload; absent or empty = not known. */
  readonly locality?: string | undefined;
  /** What it may reach; absent = all that is exported to it. */
  readonly scope?: EgressScope | undefined;
  /** `<namespace>/<name>` of the Gateway (Istio's) that requests come through; undefined: they are a sidecar's. */
  readonly gateway?: string | undefined;
  /** Its proxy is of role gateway. */
  readonly isGateway?: boolean;
}

/** All resources of the mesh, indexed for translation, kept up to date by {@link apply}. */
export class MeshState {
  readonly settings: MeshSettings;
  /** Results of pure functions, kept by the identity of their inputs. */
  readonly memo = new MemoTable();
  /** Which results are still right. */
  readonly reads = new Reads();
  readonly services = new ServiceIndex(this.reads);
  readonly virtualServices = new HostIndex<VirtualService>('virtual-service', this.reads);
  readonly destinationRules = new HostIndex<DestinationRule>('destination-rule', this.reads);
  /** By `<namespace>/<name>` of the Gateways that they name. */
  readonly #byGateway = new HostIndex<VirtualService>('virtual-service-by-gateway', this.reads);
  /** By their namespaces. */
  readonly sidecars = new HostIndex<Sidecar>('sidecar', this.reads);
  /** Of the Gateway API. */
  readonly routes = new RouteIndex(this.reads);
  /** By the routes that they are for, as `routeKeyOf` calls them. */
  readonly routeActionPolicies = new HostIndex<RouteActionPolicy>('route-action-policy', this.reads);
  readonly peerAuthentications: PeerAuthenticationIndex;
  readonly #objects = new Map<string, Map<string, KubeObject>>();
  readonly #workloads = new WorkloadIndex(this.reads);
  readonly instances = new InstanceIndex(this, this.#workloads);
  readonly #disconnected = new Set<string>();
  readonly #proxyless = new Set<string>();

  constructor(settings: Partial<MeshSettings> = {}) {
    this.settings = { ...defaultMeshSettings, ...settings };
    this.peerAuthentications = new PeerAuthenticationIndex(this.settings.rootNamespace, this.reads);
  }

  /** Takes over changes, in order. Objects of kinds that translation does not know are passed over. */
  apply(changes: Iterable<ResourceChange>): ChangeEffect {
    const effect = new PendingEffect();
    for (const { value, previous } of changes) {
      const object = value ?? previous;
      if (object !== undefined) {
        this.#applyOne(object, value, effect);
      }
    }
    this.instances.settle(effect);
    return { config: effect.config, endpointServices: effect.endpointServices };
  }

  /** Proxies count as connected until told otherwise. */
  setProxyConnected(proxyKey: string, connected: boolean): ChangeEffect {
    const effect = new PendingEffect();
    if (this.#disconnected.has(proxyKey) === connected) {
      if (connected) {
        this.#disconnected.delete(proxyKey);
      } else {
        this.#disconnected.add(proxyKey);
      }
      this.#touchWorkload(proxyKey, effect);
    }
    this.instances.settle(effect);
    return { config: effect.config, endpointServices: effect.endpointServices };
  }

  /** Whether a proxy is connected; not tracked. */
  isConnected(proxyKey: string): boolean {
    return !this.#disconnected.has(proxyKey);
  }

  /** All objects and the proxies that are away: what another state with the same settings comes to the same with. */
  contents(): { readonly objects: readonly KubeObject[]; readonly disconnected: readonly string[] } {
    return {
      objects: [...this.#objects.values()].flatMap((objects) => [...objects.values()]),
      disconnected: [...this.#disconnected],
    };
  }

  /** A time at which an object would be younger than all that are there. */
  youngest(): string {
    let latest = Date.parse('1970-01-01T00:00:00Z');
    for (const objects of this.#objects.values()) {
      for (const { metadata } of objects.values()) {
        latest = Math.max(latest, Date.parse(metadata.creationTimestamp ?? '') || 0);
      }
    }
    return new Date(latest + 1_000).toISOString();
  }

  /** `<namespace>/<name>` of all Proxy objects, sorted. */
  proxyKeys(): readonly string[] {
    return [...(this.#objects.get('weft.dev/Proxy')?.keys() ?? [])].sort();
  }

  /** Those of workloads without a proxy (`engine: grpc`), sorted. A result that is made of it is made again when these change, not with every Proxy. */
  proxylessKeys(): readonly string[] {
    this.reads.note('proxyless');
    return [...this.#proxyless].sort();
  }

  proxy(key: string): ProxyResource | undefined {
    return this.object('weft.dev/Proxy', key);
  }

  workloadEntry(key: string): WorkloadEntry | undefined {
    return this.object('networking.istio.io/WorkloadEntry', key);
  }

  object<K extends MeshKindName>(kind: K, key: string): MeshKinds[K] | undefined {
    this.reads.note(`${kind}/${key}`);
    return this.#objects.get(kind)?.get(key) as MeshKinds[K] | undefined;
  }

  /** All objects of a kind, the oldest first. A result that is made of it is made again after any change of the kind. */
  list<K extends MeshKindName>(kind: K): readonly MeshKinds[K][] {
    this.reads.note(`list/${kind}`);
    return [...this.objects(kind)].sort(byAge);
  }

  /** All objects of a kind, in the order of arrival; not tracked. */
  objects<K extends MeshKindName>(kind: K): Iterable<MeshKinds[K]> {
    return (this.#objects.get(kind)?.values() ?? []) as Iterable<MeshKinds[K]>;
  }

  /** The service that `host`, written in `namespace`, means to a client of `clientNamespace`. */
  resolveHost(host: string, namespace: string, clientNamespace: string): ServiceModel | undefined {
    const candidates = hostCandidates(host, namespace, this.settings.clusterDomain);
    for (const candidate of candidates) {
      const exact = this.services.exact(candidate, clientNamespace);
      if (exact !== undefined) {
        const { alias } = exact;
        return (alias === undefined ? undefined : this.services.exact(alias, clientNamespace)) ?? exact;
      }
    }
    const name = candidates[0] ?? host;
    const found = this.services.find(name, clientNamespace);
    return (
      found && this.memo.get(`concrete|${name}`, [found, name] as const, ([model]) => concreteService(model, name))
    );
  }

  /** The VirtualService that has `host` for sidecars in the client's namespace: of the most specific host, the oldest. */
  virtualServiceOf(host: string, client: Client): VirtualService | undefined {
    for (const objects of this.virtualServices.covering(host)) {
      const found = objects.find(
        (object) =>
          forSidecars(object) &&
          exportedTo(object.spec?.exportTo, object.metadata.namespace ?? '', client.namespace) &&
          inScope(client.scope, object.metadata.namespace ?? '', host, undefined),
      );
      if (found !== undefined) {
        return found;
      }
    }
    return undefined;
  }

  /**
   * What a sidecar may reach: the Sidecar of its namespace that selects it, else that of its namespace without a selector, else that of the
   * root namespace. Of several the oldest counts. undefined: there is none.
   */
  egressScopeOf(namespace: string, labels: Readonly<Record<string, string>>): EgressScope | undefined {
    const own = this.sidecars.exact(namespace);
    const found =
      own.find((sidecar) => isForSome(sidecar) && selects(sidecar.spec?.workloadSelector?.labels, labels)) ??
      own.find((sidecar) => !isForSome(sidecar)) ??
      this.sidecars.exact(this.settings.rootNamespace).find((sidecar) => !isForSome(sidecar));
    return (
      found && this.memo.get(`egress-scope|${keyOf(found)}`, [found] as const, ([sidecar]) => egressScope(sidecar))
    );
  }

  /** Where a proxy listens: what its Proxy says, changed by the Sidecar of its workload. undefined: there is no such Proxy. */
  listenersOf(proxyKey: string): SidecarListeners | undefined {
    const proxy = this.proxy(proxyKey);
    if (proxy === undefined) {
      return undefined;
    }
    const entry = this.workloadEntry(proxyKey);
    const namespace = proxy.metadata.namespace ?? '';
    const scope =
      proxy.spec.role === 'gateway'
        ? undefined
        : this.egressScopeOf(namespace, entry === undefined ? {} : labelsOf(entry));
    return this.memo.get(`listeners|${proxyKey}`, [proxy, entry, scope?.sidecar] as const, (inputs) =>
      sidecarListeners(...inputs),
    );
  }

  /** The VirtualServices that name a Gateway of Istio, the oldest first. @param gateway `<namespace>/<name>`. */
  virtualServicesAt(gateway: string): readonly VirtualService[] {
    return this.#byGateway.exact(gateway);
  }

  /**
   * What DestinationRules say about a service to a client: those of the client's namespace, else of the service's, else of the root namespace;
   * in each those for the most specific host, put together.
   */
  destinationRuleOf(service: ServiceModel, client: Client): MergedRule | undefined {
    const lists = [...this.destinationRules.covering(service.host)];
    for (const namespace of new Set([client.namespace, service.namespace, this.settings.rootNamespace])) {
      for (const list of lists) {
        const merged = mergeRules(this.memo, rulesFor(list, namespace, client));
        if (merged !== undefined) {
          return merged;
        }
      }
    }
    return undefined;
  }

  /** Services that a workload serves, sorted by host. */
  servicesOfWorkload(key: string): readonly ServiceModel[] {
    return this.#workloads
      .servicesOf(key)
      .flatMap((objectKey) => this.services.ofObject(objectKey))
      .sort((a, b) => (a.host < b.host ? -1 : 1));
  }

  /** The PeerAuthentication of a workload. */
  peerAuthenticationOf(namespace: string, labels: Readonly<Record<string, string>>): EffectivePeerAuthentication {
    return this.peerAuthentications.effective(namespace, labels);
  }

  // -------------------------------------------------------------------------------------------- changes

  #applyOne(object: KubeObject, value: KubeObject | undefined, effect: PendingEffect): void {
    const kind = kindNameOf(object);
    const key = keyOf(object);
    const previous = this.#objects.get(kind)?.get(key);
    if (value === undefined ? previous === undefined : previous !== undefined && sameForTranslation(previous, value)) {
      return;
    }
    const handler = this.#handlers[kind as MeshKindName];
    if (handler === undefined) {
      return;
    }
    const objects = this.#objects.get(kind) ?? new Map<string, KubeObject>();
    this.#objects.set(kind, objects);
    if (value === undefined) {
      objects.delete(key);
    } else {
      objects.set(key, value);
    }
    this.reads.touch(`${kind}/${key}`);
    this.reads.touch(`list/${kind}`);
    handler(key, value, previous, effect);
  }

  /** Of kinds that are found by their name, or listed. */
  readonly #plain: Handler = (_key, _value, _previous, effect) => {
    effect.config = true;
  };

  readonly #route: Handler = (key, value, previous, effect) => {
    this.routes.set(`${(value ?? previous)?.kind}/${key}`, value as KubeRoute | undefined);
    effect.config = true;
  };

  readonly #handlers: Readonly<Record<MeshKindName, Handler>> = {
    '/ConfigMap': this.#plain,
    '/Namespace': this.#plain,
    '/Secret': this.#plain,
    'gateway.networking.k8s.io/BackendTLSPolicy': this.#plain,
    'gateway.networking.k8s.io/Gateway': this.#plain,
    'gateway.networking.k8s.io/GatewayClass': this.#plain,
    'gateway.networking.k8s.io/ListenerSet': this.#plain,
    'gateway.networking.k8s.io/ReferenceGrant': this.#plain,
    'networking.istio.io/Gateway': this.#plain,
    'gateway.networking.k8s.io/GRPCRoute': this.#route,
    'gateway.networking.k8s.io/HTTPRoute': this.#route,
    'gateway.networking.k8s.io/TCPRoute': this.#route,
    'gateway.networking.k8s.io/TLSRoute': this.#route,
    '/Service': (key, value, _previous, effect) => {
      const objectKey = `Service/${key}`;
      this.#setService(
        objectKey,
        value === undefined ? [] : modelsOfService(value as Service, objectKey, this.settings.clusterDomain),
        effect,
      );
    },
    'networking.istio.io/ServiceEntry': (key, value, _previous, effect) => {
      const objectKey = `ServiceEntry/${key}`;
      this.#setService(
        objectKey,
        value === undefined ? [] : modelsOfServiceEntry(value as ServiceEntry, objectKey),
        effect,
      );
    },
    'networking.istio.io/WorkloadEntry': (key, value, previous, effect) => {
      const entries = [previous, value].filter((entry) => entry !== undefined) as WorkloadEntry[];
      for (const entry of entries) {
        this.#touchSelecting(entry, effect);
      }
      this.#workloads.setWorkload(key, value as WorkloadEntry | undefined);
      // The IR of the workload's own proxy is made of its labels and account, and names its generation; health is none of its business.
      const [before, after] = [previous, value].map((entry) => [entry?.metadata.generation, entry?.metadata.labels]);
      if (this.proxy(key) !== undefined && !isDeepStrictEqual(before, after)) {
        effect.config = true;
      }
    },
    'networking.istio.io/ProxyConfig': () => {},
    'networking.istio.io/Sidecar': (key, value, previous, effect) => {
      const namespace = (value ?? previous)?.metadata.namespace ?? '';
      this.sidecars.set(key, value as Sidecar | undefined, [namespace]);
      effect.config = true;
      // Which ports of the workloads are open.
      this.#touchServicesOf(namespace, effect);
    },
    'networking.istio.io/WorkloadGroup': () => {},
    'discovery.k8s.io/EndpointSlice': (key, value, previous, effect) =>
      this.instances.setSlice(key, value as EndpointSlice | undefined, previous as EndpointSlice | undefined, effect),
    'networking.istio.io/VirtualService': (key, value, _previous, effect) => {
      const object = value as VirtualService | undefined;
      this.virtualServices.set(key, object, this.#hostsOf(object, object?.spec?.hosts ?? []));
      const namespace = object?.metadata.namespace ?? '';
      const gateways = (object?.spec?.gateways ?? []).filter((name) => name !== mesh);
      this.#byGateway.set(key, object, [...new Set(gateways.map((name) => gatewayKey(name, namespace)))]);
      effect.config = true;
    },
    'networking.istio.io/DestinationRule': (key, value, _previous, effect) => {
      const object = value as DestinationRule | undefined;
      this.destinationRules.set(
        key,
        object,
        object === undefined ? [] : this.#hostsOf(object, object.spec === undefined ? [] : [object.spec.host]),
      );
      effect.config = true;
    },
    'security.istio.io/PeerAuthentication': (key, value, previous, effect) => {
      const namespace = (value ?? previous)?.metadata.namespace ?? '';
      this.peerAuthentications.set(key, namespace, value as PeerAuthentication | undefined);
      effect.config = true;
      this.#touchServicesOf(namespace, effect);
    },
    'weft.dev/EndpointPolicy': this.#plain,
    'weft.dev/Proxy': (key, value, _previous, effect) => {
      effect.config = true;
      if (value === undefined) {
        this.#disconnected.delete(key);
      }
      const isProxyless = (value as ProxyResource | undefined)?.spec.engine === 'grpc';
      if (isProxyless !== this.#proxyless.has(key)) {
        this.#proxyless[isProxyless ? 'add' : 'delete'](key);
        this.reads.touch('proxyless');
      }
      this.#touchWorkload(key, effect);
    },
    'weft.dev/RouteActionPolicy': (key, value, _previous, effect) => {
      const policy = value as RouteActionPolicy | undefined;
      this.routeActionPolicies.set(key, policy, policy === undefined ? [] : routesOfPolicy(policy));
      effect.config = true;
    },
  };

  #hostsOf(object: KubeObject | undefined, hosts: readonly string[]): readonly string[] {
    const namespace = object?.metadata.namespace ?? '';
    return [...new Set(hosts.flatMap((host) => hostCandidates(host, namespace, this.settings.clusterDomain)))];
  }

  #setService(objectKey: string, models: readonly ServiceModel[], effect: PendingEffect): void {
    for (const model of this.services.ofObject(objectKey)) {
      effect.addEndpoints(this.instances.assignmentsOf(model));
    }
    this.services.set(objectKey, models);
    const first = models[0];
    this.#workloads.setSelector(objectKey, first?.namespace ?? '', first?.selector);
    effect.config = true;
    effect.services.add(objectKey);
  }

  /** Of all namespaces, for the root namespace. */
  #touchServicesOf(namespace: string, effect: PendingEffect): void {
    const everywhere = namespace === this.settings.rootNamespace;
    for (const objectKey of this.services.objectKeys()) {
      if (everywhere || objectKey.split('/')[1] === namespace) {
        effect.services.add(objectKey);
      }
    }
  }

  #touchSelecting(entry: WorkloadEntry, effect: PendingEffect): void {
    for (const objectKey of this.#workloads.servicesSelecting(entry.metadata.namespace ?? '', labelsOf(entry))) {
      effect.services.add(objectKey);
    }
  }

  #touchWorkload(key: string, effect: PendingEffect): void {
    const entry = this.workloadEntry(key);
    if (entry !== undefined) {
      this.#touchSelecting(entry, effect);
    }
  }
}

type Handler = (
  key: string,
  value: KubeObject | undefined,
  previous: KubeObject | undefined,
  effect: PendingEffect,
) => void;

/** Whether a VirtualService applies to sidecars: its gateways are absent or name the mesh. */
export function forSidecars(object: VirtualService): boolean {
  const gateways = object.spec?.gateways;
  return gateways === undefined || gateways.length === 0 || gateways.includes(mesh);
}

/** Whether a Sidecar chooses among the workloads of its namespace. */
export function isForSome(sidecar: Sidecar): boolean {
  return Object.keys(sidecar.spec?.workloadSelector?.labels ?? {}).length > 0;
}
