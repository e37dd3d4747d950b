import type { Clock, Timer } from '@weft/base';
import type { KubeObject } from '@weft/resources';
import type { Collection, StoreEvent } from '../store/collection.ts';
import { parseRevision } from './list.ts';
import { parseFieldSelector, parseLabelSelector } from './selectors.ts';
import type { ServedResource } from './served-resource.ts';
import { badRequest, versionTooLarge } from './status-error.ts';

export interface WatchQuery {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly resourceVersion?: string | undefined;
  readonly allowBookmarks?: boolean;
  /** Begin with the state as it is, then a bookmark that says so (Kubernetes' streaming list). */
  readonly sendInitialEvents?: boolean;
}

export type WatchedEvent =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: KubeObject }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string; readonly initialEventsEnd: boolean };

/** What a watch needs of the server. */
export interface WatchSource {
  readonly collection: Collection;
  /** The latest committed version. */
  readonly revision: () => number;
  readonly clock: Clock;
  readonly bookmarkIntervalMs: number;
}

/**
 * Follows a resource: first what the query asks for of the past, then each change, in order and without a gap.
 * `onEvent` is called synchronously and must not throw.
 * @returns ends the watch; idempotent.
 * @throws StatusError 400; 410 when the version is too old; 504 when it is still to come.
 */
export function watchObjects(
  resource: ServedResource,
  source: WatchSource,
  query: WatchQuery,
  onEvent: (event: WatchedEvent) => void,
): () => void {
  const labels = parseLabelSelector(query.labelSelector);
  const fields = parseFieldSelector(query.fieldSelector, resource.plural);
  const chosen = (object: KubeObject | undefined): boolean =>
    object !== undefined &&
    (query.namespace === undefined || object.metadata.namespace === query.namespace) &&
    labels(object) &&
    fields(object);
  const asked = parseRevision(query.resourceVersion);
  if (asked !== undefined && asked > source.revision()) {
    throw versionTooLarge(asked, source.revision());
  }
  if (query.sendInitialEvents === true && query.allowBookmarks !== true) {
    throw badRequest('sendInitialEvents needs allowWatchBookmarks=true');
  }
  const pass = (event: StoreEvent): void => {
    const is = event.type !== 'DELETED' && chosen(event.object);
    const was = chosen(event.previous);
    if (is) {
      onEvent({ type: was ? 'MODIFIED' : 'ADDED', object: event.object });
    } else if (was) {
      onEvent({ type: 'DELETED', object: event.object });
    }
  };
  const fromNow = asked === undefined || asked === 0;
  if (query.sendInitialEvents === true || (fromNow && query.sendInitialEvents !== false)) {
    for (const object of source.collection.list(query.namespace)) {
      if (chosen(object)) {
        onEvent({ type: 'ADDED', object });
      }
    }
    if (query.sendInitialEvents === true) {
      onEvent({ type: 'BOOKMARK', resourceVersion: String(source.revision()), initialEventsEnd: true });
    }
  } else if (asked !== undefined && asked > 0) {
    for (const event of source.collection.eventsSince(asked)) {
      pass(event);
    }
  }
  const unsubscribe = source.collection.subscribe(pass);
  let timer: Timer | undefined;
  const bookmark = (): void => {
    onEvent({ type: 'BOOKMARK', resourceVersion: String(source.revision()), initialEventsEnd: false });
    timer = source.clock.setTimeout(bookmark, source.bookmarkIntervalMs, { unref: true });
  };
  if (query.allowBookmarks === true) {
    timer = source.clock.setTimeout(bookmark, source.bookmarkIntervalMs, { unref: true });
  }
  return () => {
    unsubscribe();
    timer?.cancel();
  };
}
