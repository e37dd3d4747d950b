import type { ServerResponse } from 'node:http';
import type { Clock } from '@weft/base';
import type { ApiLimits } from '../options.ts';
import type { Registry } from '../registry/registry.ts';
import type { ServedResource } from '../registry/served-resource.ts';
import type { WatchedEvent, WatchQuery } from '../registry/watch.ts';
import { type IncludeObject, tableFrom } from '../table/table.ts';
import type { WantedForm } from './accept.ts';

export interface WatchStreamOptions {
  readonly registry: Registry;
  readonly resource: ServedResource;
  readonly version: string;
  readonly query: WatchQuery;
  readonly form: WantedForm;
  readonly includeObject: IncludeObject;
  readonly timeoutMs: number;
  readonly limits: ApiLimits;
  readonly clock: Clock;
}

/**
 * Streams a watch, one JSON event a line, until the client goes, the time is up or the client reads too slowly (it is then cut off:
 * it can resume from the last version it saw).
 * @returns ends the stream; idempotent.
 * @throws StatusError before anything is sent.
 */
export function streamWatch(response: ServerResponse, options: WatchStreamOptions, onEnd: () => void): () => void {
  const { registry, resource, version, form, limits, clock } = options;
  let ended = false;
  let headersDue = form === 'table';
  const pending: string[] = [];
  let started = false;
  // What a watch begins with is written in one go, as a list would be; only what comes on top of it shows a slow reader.
  let allowanceBytes = 0;

  const write = (line: string): void => {
    if (!started) {
      pending.push(line);
      return;
    }
    response.write(line);
    if (response.writableLength > limits.maxWatchBufferBytes + allowanceBytes) {
      end();
      response.destroy();
    }
  };
  const encode = (type: string, object: unknown): string => `${JSON.stringify({ type, object })}\n`;
  const onEvent = (event: WatchedEvent): void => {
    if (ended) {
      return;
    }
    if (event.type === 'BOOKMARK') {
      write(encode('BOOKMARK', bookmarkObject(resource, version, event, form)));
      return;
    }
    const object = resource.inVersion(event.object, version);
    if (form === 'table') {
      const table = tableFrom(resource.declaration, [object], {
        includeObject: options.includeObject,
        nowMs: clock.now(),
        headers: headersDue,
        listMetadata: { resourceVersion: object.metadata.resourceVersion },
      });
      headersDue = false;
      write(encode(event.type, table));
    } else {
      write(encode(event.type, form === 'metadata' ? partial(object) : object));
    }
  };
  const stop = registry.watch(resource, options.query, onEvent);
  const timer = clock.setTimeout(() => finish(), options.timeoutMs, { unref: true });

  function end(): void {
    if (!ended) {
      ended = true;
      stop();
      timer.cancel();
      onEnd();
    }
  }
  function finish(): void {
    if (!ended) {
      end();
      response.end();
    }
  }

  response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-cache, private' });
  response.flushHeaders();
  started = true;
  response.on('close', end);
  response.on('error', end);
  for (const line of pending.splice(0)) {
    response.write(line);
  }
  if (response.writableNeedDrain) {
    allowanceBytes = response.writableLength;
    response.once('drain', () => {
      allowanceBytes = 0;
    });
  }
  return finish;
}

function bookmarkObject(
  resource: ServedResource,
  version: string,
  event: Extract<WatchedEvent, { type: 'BOOKMARK' }>,
  form: WantedForm,
): unknown {
  const metadata = {
    resourceVersion: event.resourceVersion,
    creationTimestamp: null,
    ...(event.initialEventsEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}),
  };
  const object = { kind: resource.kind, apiVersion: resource.apiVersion(version), metadata };
  return form === 'table'
    ? {
        kind: 'Table',
        apiVersion: 'meta.k8s.io/v1',
        metadata: { resourceVersion: event.resourceVersion },
        columnDefinitions: [],
        rows: [{ cells: [], object }],
      }
    : object;
}

export function partial(object: { readonly metadata: unknown }): unknown {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata };
}
