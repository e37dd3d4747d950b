import { createHash } from 'node:crypto';
import { type Clock, type Logger, MeshError } from '@weft/base';
import type { KubeObject, ResourceClient } from '@weft/resources';

/** `v1 Event`, as far as it is written here. */
interface EventObject extends KubeObject {
  readonly involvedObject: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly namespace?: string;
    readonly name: string;
    readonly uid?: string;
  };
  readonly reason: string;
  readonly message: string;
  readonly type: 'Normal' | 'Warning';
  readonly count: number;
  readonly firstTimestamp: string;
  readonly lastTimestamp: string;
  readonly source: { readonly component: string };
  readonly reportingComponent: string;
  readonly reportingInstance: string;
}

export interface EventRecorderOptions {
  readonly client: ResourceClient;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Most events that may wait to be written; more are dropped, with a line in the log. */
const maxPending = 100;
const maxMessageLength = 1_024;

/** Writes Kubernetes events about objects. Failures are logged and change nothing. */
export class EventRecorder {
  readonly #options: EventRecorderOptions;
  #pending = 0;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
  }

  warn(about: KubeObject, reason: string, message: string): void {
    const { client, clock, logger } = this.#options;
    if (this.#pending >= maxPending) {
      logger.warn('event dropped: too many wait', { reason });
      return;
    }
    const { namespace, name, uid } = about.metadata;
    const time = `${new Date(clock.now()).toISOString().slice(0, 19)}Z`;
    const suffix = createHash('sha256').update(`${uid}|${reason}|${message}|${clock.now()}`).digest('hex').slice(0, 16);
    const event: EventObject = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: `${name.slice(0, 200)}.${suffix}`, namespace: namespace ?? 'default' },
      involvedObject: {
        apiVersion: about.apiVersion,
        kind: about.kind,
        name,
        ...(namespace === undefined ? {} : { namespace }),
        ...(uid === undefined ? {} : { uid }),
      },
      reason,
      message: message.slice(0, maxMessageLength),
      type: 'Warning',
      count: 1,
      firstTimestamp: time,
      lastTimestamp: time,
      source: { component: 'weft-control-plane' },
      reportingComponent: 'weft-control-plane',
      reportingInstance: `pid-${process.pid}`,
    };
    this.#pending += 1;
    client
      .create(event)
      .catch((error: unknown) => logger.debug('event not written', { reason, error: MeshError.from(error).message }))
      .finally(() => {
        this.#pending -= 1;
      });
  }
}
