import { coversHost } from '../format/hosts.ts';
import type { Service } from '../kinds/core/service.ts';
import type { ReferenceGrant } from '../kinds/gateway/reference-grant.ts';
import type { DestinationRule } from '../kinds/networking/destination-rule.ts';
import type { ServiceEntry } from '../kinds/networking/service-entry.ts';
import type { WorkloadEntry } from '../kinds/networking/workload-entry.ts';
import type { WorkloadGroup } from '../kinds/networking/workload-group.ts';
import type { KubeObject } from '../object.ts';

export type Labels = Readonly<Record<string, string>>;

/** A workload that the files tell of: a WorkloadEntry, or those that a WorkloadGroup makes. */
export interface KnownWorkload {
  readonly namespace: string;
  readonly labels: Labels;
}

/** A host that a Service or a ServiceEntry declares. */
export interface KnownService {
  /** Lower case; may begin with `*`. */
  readonly host: string;
  readonly namespace: string;
  readonly ports: readonly { readonly name: string; readonly number: number }[];
  /** Labels of WorkloadEntries of its namespace that serve it; undefined: it selects none. */
  readonly selector: Labels | undefined;
  /** Labels of endpoints that the object itself has. */
  readonly inline: readonly Labels[];
  readonly object: Service | ServiceEntry;
}

export interface InventoryOptions {
  /** Namespace of objects that name none. Default `default`. */
  readonly namespace?: string;
  /** What hosts of Services end in. Default `cluster.local`. */
  readonly clusterDomain?: string;
  /** Where policies for the whole mesh live. Default `weft-system`. */
  readonly rootNamespace?: string;
  /** False: some objects could not be read, so that what is missing may be among them. Default true. */
  readonly complete?: boolean;
  /** By when certificates must not have expired, milliseconds since the epoch. Default 0: that is not looked at. */
  readonly nowMs?: number;
}

/** All objects that are looked at together, by what others call them. */
export class Inventory {
  readonly objects: readonly KubeObject[];
  readonly complete: boolean;
  readonly rootNamespace: string;
  readonly nowMs: number;
  readonly services: readonly KnownService[];
  readonly workloads: readonly KnownWorkload[];
  readonly #namespace: string;
  readonly #clusterDomain: string;
  readonly #byName = new Map<string, KubeObject>();
  readonly #byKind = new Map<string, KubeObject[]>();
  readonly #byHost = new Map<string, KnownService>();
  readonly #wildcards: readonly KnownService[];
  readonly #byService = new Map<string, KnownService>();
  readonly #rules = new Map<string, DestinationRule[]>();
  readonly #wideRules: DestinationRule[] = [];

  constructor(objects: readonly KubeObject[], options: InventoryOptions = {}) {
    this.objects = objects;
    this.complete = options.complete ?? true;
    this.rootNamespace = options.rootNamespace ?? 'weft-system';
    this.nowMs = options.nowMs ?? 0;
    this.#namespace = options.namespace ?? 'default';
    this.#clusterDomain = options.clusterDomain ?? 'cluster.local';
    for (const object of objects) {
      const kind = kindOf(object);
      this.#byName.set(`${kind} ${this.keyOf(object)}`, object);
      const list = this.#byKind.get(kind) ?? [];
      list.push(object);
      this.#byKind.set(kind, list);
    }
    this.services = [
      ...this.list<Service>('/Service').map((service) => this.#ofService(service)),
      ...this.list<ServiceEntry>('networking.istio.io/ServiceEntry').flatMap((entry) => this.#ofEntry(entry)),
    ];
    for (const service of this.services) {
      if (!this.#byHost.has(service.host)) {
        this.#byHost.set(service.host, service);
      }
    }
    for (const service of this.services) {
      if (service.object.kind === 'Service') {
        this.#byService.set(this.keyOf(service.object), service);
      }
    }
    for (const rule of this.list<DestinationRule>('networking.istio.io/DestinationRule')) {
      const host = this.canonicalHost(rule.spec?.host ?? '', this.namespaceOf(rule));
      const rules = this.#rules.get(host) ?? [];
      rules.push(rule);
      this.#rules.set(host, rules);
      if (host.startsWith('*')) {
        this.#wideRules.push(rule);
      }
    }
    this.#wildcards = this.services.filter(({ host }) => host.startsWith('*'));
    this.workloads = [
      ...this.list<WorkloadEntry>('networking.istio.io/WorkloadEntry').map((entry) => ({
        namespace: this.namespaceOf(entry),
        labels: { ...entry.metadata.labels, ...entry.spec.labels },
      })),
      ...this.list<WorkloadGroup>('networking.istio.io/WorkloadGroup').map((group) => ({
        namespace: this.namespaceOf(group),
        labels: { ...group.spec.metadata?.labels, ...group.spec.template?.labels },
      })),
    ];
  }

  namespaceOf(object: KubeObject): string {
    const { namespace } = object.metadata;
    return namespace === undefined || namespace === '' ? this.#namespace : namespace;
  }

  /** `namespace/name` */
  keyOf(object: KubeObject): string {
    return `${this.namespaceOf(object)}/${object.metadata.name}`;
  }

  /** `VirtualService shop/reviews` */
  nameOf(object: KubeObject): string {
    return `${object.kind} ${this.keyOf(object)}`;
  }

  /** All objects of a kind. @param kind `group/kind`. */
  list<K extends KubeObject>(kind: string): readonly K[] {
    return (this.#byKind.get(kind) ?? []) as unknown as readonly K[];
  }

  /** @param kind `group/kind`. @param key `namespace/name`. */
  find<K extends KubeObject>(kind: string, key: string): K | undefined {
    return this.#byName.get(`${kind} ${key}`) as K | undefined;
  }

  /** Whether what is missing of these kinds is worth a word: all was read, and the files have some of them at all. */
  tellsOf(...kinds: readonly string[]): boolean {
    return this.complete && kinds.some((kind) => this.#byKind.has(kind));
  }

  /** Whether the files would tell of a host if it were there: of services of the mesh's own they must hold some, of others any kind will do. */
  tellsOfHost(host: string, namespace: string): boolean {
    const own = this.hostCandidates(host, namespace).every((name) => name.endsWith(`.svc.${this.#clusterDomain}`));
    return this.tellsOf('/Service', ...(own ? [] : ['networking.istio.io/ServiceEntry']));
  }

  /** The service that a host means in a namespace. */
  service(host: string, namespace: string): KnownService | undefined {
    const candidates = this.hostCandidates(host, namespace);
    for (const candidate of candidates) {
      const found = this.#byHost.get(candidate);
      if (found !== undefined) {
        return found;
      }
    }
    return this.#wildcards.find((service) => candidates.some((candidate) => coversHost(service.host, candidate)));
  }

  /** The name by which objects that mean the same host meet: that of its service, else the likeliest. */
  canonicalHost(host: string, namespace: string): string {
    const candidates = this.hostCandidates(host, namespace);
    return candidates.find((candidate) => this.#byHost.has(candidate)) ?? candidates.at(-1) ?? host;
  }

  /** DestinationRules for a host, whoever may see them. */
  destinationRules(host: string, namespace: string): readonly DestinationRule[] {
    const wanted = this.canonicalHost(host, namespace);
    const wide = this.#wideRules.filter(({ spec }) => coversHost(spec?.host ?? '', wanted));
    return [...(this.#rules.get(wanted) ?? []), ...wide];
  }

  /** The Service of this `namespace/name`. */
  serviceOf(key: string): KnownService | undefined {
    return this.#byService.get(key);
  }

  /** The labels of everything in the files that serves a host; empty: the files do not say. */
  endpointLabels(service: KnownService): readonly Labels[] {
    const { selector } = service;
    const selected =
      selector === undefined
        ? []
        : this.workloads
            .filter(({ namespace, labels }) => namespace === service.namespace && selects(selector, labels))
            .map(({ labels }) => labels);
    return [...selected, ...service.inline];
  }

  /** Whether a ReferenceGrant of the files allows it. */
  isGranted(from: KubeObject, to: { readonly group: string; readonly kind: string; readonly key: string }): boolean {
    const [namespace = '', name = ''] = to.key.split('/');
    const fromNamespace = this.namespaceOf(from);
    return (
      namespace === fromNamespace ||
      this.list<ReferenceGrant>('gateway.networking.k8s.io/ReferenceGrant').some(
        (grant) =>
          this.namespaceOf(grant) === namespace &&
          (grant.spec?.from ?? []).some(
            (one) => one.namespace === fromNamespace && `${one.group}/${one.kind}` === kindOf(from),
          ) &&
          (grant.spec?.to ?? []).some(
            (one) =>
              one.group === to.group &&
              one.kind === to.kind &&
              (one.name === undefined || one.name === '' || one.name === name),
          ),
      )
    );
  }

  /** What a host may stand for, as it is written and with what a namespace appends. */
  hostCandidates(host: string, namespace: string): readonly string[] {
    const lower = (host.endsWith('.') ? host.slice(0, -1) : host).toLowerCase();
    const dots = lower.split('.').length - 1;
    if (lower.startsWith('*')) {
      return [lower];
    }
    if (dots === 0) {
      return [`${lower}.${namespace}.svc.${this.#clusterDomain}`];
    }
    if (dots === 1) {
      return [lower, `${lower}.svc.${this.#clusterDomain}`];
    }
    return dots === 2 && lower.endsWith('.svc') ? [lower, `${lower}.${this.#clusterDomain}`] : [lower];
  }

  #ofService(service: Service): KnownService {
    const namespace = this.namespaceOf(service);
    const selector = service.spec?.selector;
    return {
      host: `${service.metadata.name}.${namespace}.svc.${this.#clusterDomain}`.toLowerCase(),
      namespace,
      ports: (service.spec?.ports ?? []).map(({ name = '', port }) => ({ name, number: port })),
      selector: selector === undefined || Object.keys(selector).length === 0 ? undefined : selector,
      inline: [],
      object: service,
    };
  }

  #ofEntry(entry: ServiceEntry): readonly KnownService[] {
    const { hosts, ports = [], endpoints = [], workloadSelector } = entry.spec;
    return hosts.map((host) => ({
      host: host.toLowerCase(),
      namespace: this.namespaceOf(entry),
      ports: ports.map(({ name, number }) => ({ name, number })),
      selector: workloadSelector?.labels,
      inline: endpoints.map(({ labels }) => labels ?? {}),
      object: entry,
    }));
  }
}

/** `group/kind`, whatever the version. */
export function kindOf({ apiVersion, kind }: KubeObject): string {
  const slash = apiVersion.indexOf('/');
  return `${slash < 0 ? '' : apiVersion.slice(0, slash)}/${kind}`;
}

/** Whether labels have all that a selector asks for; none asked for: all have. */
export function selects(selector: Labels, labels: Labels): boolean {
  return Object.entries(selector).every(([name, value]) => labels[name] === value);
}
