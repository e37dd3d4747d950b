import type { OriginRef } from '@weft/ir';
import type { EndpointSlice } from '../kinds.ts';
import { assignmentName, localClusterName, outboundClusterName } from '../names.ts';
import {
  identityOfWorkload,
  inlineInstances,
  instanceOfWorkload,
  instancesOfSlice,
  originsOfWorkload,
} from './collect-instances.ts';
import { type CollectedInstances, type Instance, type InstanceSet, instanceSet } from './instances.ts';
import type { MeshState } from './mesh-state.ts';
import type { PendingEffect } from './pending-effect.ts';
import type { ServiceModel } from './service-model.ts';
import { labelsOf } from './workload.ts';
import type { WorkloadIndex } from './workload-index.ts';

const sliceServiceLabel = 'kubernetes.io/service-name';

/** The workloads behind each service, and which load assignments are made of them. */
export class InstanceIndex {
  readonly #state: MeshState;
  readonly #workloads: WorkloadIndex;
  /** By the object key of their service. */
  readonly #slices = new Map<string, Map<string, EndpointSlice>>();
  readonly #instances = new Map<string, InstanceSet>();
  /** By cluster: the names of the ways in which clients see its endpoints, as far as there are several. */
  readonly #views = new Map<string, Set<string>>();
  /** Object keys of services whose workloads are peers of a client that balances by zone. */
  readonly #ofPeers = new Set<string>();

  constructor(state: MeshState, workloads: WorkloadIndex) {
    this.#state = state;
    this.#workloads = workloads;
  }

  /** The workloads behind a service; the same object until they change. */
  of(service: ServiceModel): InstanceSet {
    const { services, memo, settings, reads } = this.#state;
    if (services.ofObject(service.objectKey).every(({ host }) => host !== service.host)) {
      // One host below a wildcard, which only its own name leads to.
      return memo.get(`concrete-instances|${service.host}`, [service] as const, ([model]) =>
        instanceSet({ instances: inlineInstances(model, settings), leftOut: [], identities: [] }),
      );
    }
    reads.note(`instances/${service.objectKey}`);
    return this.#instances.get(service.objectKey) ?? noInstances;
  }

  /** The identities of the workloads behind a service; the same array until they change. */
  identitiesOf(service: ServiceModel): readonly string[] {
    this.#state.reads.note(`identities/${service.objectKey}`);
    return (this.#instances.get(service.objectKey) ?? noInstances).identities;
  }

  /** A cluster's endpoints are looked at in this way by some client. */
  noteView(cluster: string, view: string): void {
    const views = this.#views.get(cluster) ?? new Set();
    this.#views.set(cluster, views.add(view));
  }

  /** The workloads of a service are in the local cluster of some client. */
  notePeers(service: ServiceModel): void {
    this.#ofPeers.add(service.objectKey);
  }

  /** Names of all load assignments that a service can have: each port, whole and by subset, as clients see them, and the local cluster. */
  assignmentsOf(model: ServiceModel): readonly string[] {
    const local = this.#ofPeers.has(model.objectKey) ? [localClusterName] : [];
    if (model.discovery !== 'endpoints') {
      return local;
    }
    const subsets = new Set(['']);
    for (const rules of this.#state.destinationRules.covering(model.host)) {
      for (const rule of rules) {
        for (const subset of rule.spec?.subsets ?? []) {
          subsets.add(subset.name);
        }
      }
    }
    const outbound = model.ports.flatMap((port) =>
      [...subsets].flatMap((subset) => {
        const cluster = outboundClusterName(port.number, subset, model.host);
        return [cluster, ...[...(this.#views.get(cluster) ?? [])].map((view) => assignmentName(cluster, view))];
      }),
    );
    return [...outbound, ...local];
  }

  /** Takes over an EndpointSlice. @param value undefined: it was deleted. */
  setSlice(
    key: string,
    value: EndpointSlice | undefined,
    previous: EndpointSlice | undefined,
    effect: PendingEffect,
  ): void {
    for (const slice of [previous, value]) {
      const service = slice?.metadata.labels?.[sliceServiceLabel];
      if (slice !== undefined && service !== undefined) {
        const objectKey = `Service/${slice.metadata.namespace ?? ''}/${service}`;
        const slices = this.#slices.get(objectKey) ?? new Map<string, EndpointSlice>();
        this.#slices.set(objectKey, slices);
        if (slice === value) {
          slices.set(key, slice);
        } else {
          slices.delete(key);
        }
        effect.services.add(objectKey);
      }
    }
  }

  /** Collects the instances of all touched services again and finds out what that changes. */
  settle(effect: PendingEffect): void {
    const { services, reads } = this.#state;
    for (const objectKey of effect.services) {
      const models = services.ofObject(objectKey);
      const service = models[0];
      const before = this.#instances.get(objectKey);
      if (service === undefined) {
        this.#instances.delete(objectKey);
        reads.touch(`instances/${objectKey}`);
        reads.touch(`identities/${objectKey}`);
        continue;
      }
      const after = instanceSet(this.#collect(service), before);
      if (after === before) {
        continue;
      }
      this.#instances.set(objectKey, after);
      reads.touch(`instances/${objectKey}`);
      if (after.identities !== before?.identities) {
        reads.touch(`identities/${objectKey}`);
      }
      // Clusters name the identities of their endpoints, and those resolved by DNS hold the endpoints themselves.
      if (after.identities !== before?.identities || service.discovery === 'dns') {
        effect.config = true;
      }
      for (const model of models) {
        effect.addEndpoints(this.assignmentsOf(model));
      }
    }
  }

  #collect(service: ServiceModel): CollectedInstances {
    const state = this.#state;
    const { settings } = state;
    const instances: Instance[] = [...inlineInstances(service, settings)];
    const leftOut: OriginRef[] = [];
    const identities = instances.flatMap(({ identity }) => identity ?? []);
    if (service.selector !== undefined) {
      for (const key of this.#workloads.workloadsWith(service.namespace, service.selector)) {
        const entry = state.workloadEntry(key);
        if (entry === undefined) {
          continue;
        }
        const proxy = state.proxy(key);
        const connected = state.isConnected(key);
        const peerAuthentication = state.peerAuthenticationOf(service.namespace, labelsOf(entry));
        const inbound = state.listenersOf(key)?.inbound ?? [];
        const facts = { entry, proxy, inbound, connected, peerAuthentication };
        const instance = instanceOfWorkload(facts, settings);
        identities.push(...identityOfWorkload(facts, settings));
        if (instance === undefined) {
          leftOut.push(...originsOfWorkload(facts));
        } else {
          instances.push(instance);
        }
      }
    }
    for (const slice of this.#slices.get(service.objectKey)?.values() ?? []) {
      instances.push(...instancesOfSlice(slice, service, settings));
    }
    return { instances: instances.sort(compareInstances), leftOut, identities };
  }
}

const noInstances = instanceSet({ instances: [], leftOut: [], identities: [] });

function compareInstances(a: Instance, b: Instance): number {
  const left = [a.locality, a.address, a.workload.namespace, a.workload.name, JSON.stringify(a.ports)].join('\0');
  const right = [b.locality, b.address, b.workload.namespace, b.workload.name, JSON.stringify(b.ports)].join('\0');
  return left < right ? -1 : left > right ? 1 : 0;
}
