import { originKey } from '@weft/ir';
import type { ClientState, XdsServer } from '@weft/xds-server';
import { typeUrls } from '@weft/xds-types';
import type { ClosedListeners } from '../mesh/closed-listeners.ts';
import { originsOf, originsOfResource, type Publisher } from '../mesh/publisher.ts';
import type { TrackedResource } from '../mesh/revisions.ts';
import type { WantedCondition } from './conditions.ts';

/** A proxy that refuses something that was made from a resource, or cannot open it. */
interface Refusal {
  readonly proxyKey: string;
  readonly reason: string;
}

interface Usage {
  /** Connected proxies that use the resource: the store version that each has acknowledged. */
  readonly acked: Map<string, number>;
  readonly refusals: Refusal[];
}

export interface ProgrammedViewOptions {
  readonly publisher: Publisher;
  readonly xds: Pick<XdsServer, 'client'>;
  readonly closedListeners: ClosedListeners;
}

/** Which connected proxies use which resources, and how far they have come; made at one moment. */
export class ProgrammedView {
  readonly #usage = new Map<string, Usage>();
  /** Changes are being gathered: who uses what is not known for the newest generation. */
  readonly #dirty: boolean;

  constructor({ publisher, xds, closedListeners }: ProgrammedViewOptions) {
    this.#dirty = publisher.dirty;
    for (const publication of publisher.publications()) {
      const client = xds.client(publication.proxyKey);
      if (client === undefined) {
        continue;
      }
      // A proxy that is still starting does not take back what was said of resources before it came.
      if (client.ackedStoreVersion !== undefined) {
        for (const origin of originsOf(publication)) {
          this.#of(originKey(origin)).acked.set(publication.proxyKey, client.ackedStoreVersion);
        }
      }
      const closed = [...closedListeners.of(publication.proxyKey)].map(([name, reason]) => ({
        typeUrl: typeUrls.listener,
        name,
        reason,
      }));
      for (const { typeUrl, name, reason } of [...refusedBy(client), ...closed]) {
        for (const origin of originsOfResource(publication, typeUrl, name)) {
          this.#of(originKey(origin)).refusals.push({ proxyKey: publication.proxyKey, reason });
        }
      }
    }
  }

  /** The condition `Programmed` of a resource that is accepted. */
  condition(key: string, resource: TrackedResource): WantedCondition {
    const usage = this.#usage.get(key);
    const [refusal] = usage?.refusals ?? [];
    if (refusal !== undefined) {
      const others = (usage?.refusals.length ?? 1) - 1;
      return {
        type: 'Programmed',
        status: 'False',
        reason: 'RefusedByProxy',
        message: `proxy ${refusal.proxyKey} refuses it${others > 0 ? ` (and ${others} more)` : ''}: ${refusal.reason.slice(0, 2_000)}`,
      };
    }
    const all = usage?.acked.size ?? 0;
    let applied = 0;
    for (const acked of usage?.acked.values() ?? []) {
      if (acked >= resource.revision) {
        applied += 1;
      }
    }
    const done = applied === all && !this.#dirty;
    return {
      type: 'Programmed',
      status: done ? 'True' : 'False',
      reason: done ? 'Programmed' : 'Pending',
      message: all === 0 && done ? 'no connected proxy uses it' : `applied by ${applied} of ${all} proxies`,
    };
  }

  #of(key: string): Usage {
    let usage = this.#usage.get(key);
    if (usage === undefined) {
      usage = { acked: new Map(), refusals: [] };
      this.#usage.set(key, usage);
    }
    return usage;
  }
}

function refusedBy(client: ClientState) {
  return [...client.types].flatMap(([typeUrl, state]) =>
    state.refused.map(({ name, reason }) => ({ typeUrl, name, reason })),
  );
}
