import { MeshError, type Unsubscribe } from '@weft/base';
import type { KubeObject, WatchEvent, WatchHandlers } from '@weft/resources';
import { type ApiRequest, errorOfStatus, type HttpTransport } from './http-transport.ts';

/** Longest line (event) of a watch. */
const maxEventBytes = 16 * 1024 * 1024;

interface RawEvent {
  readonly type: string;
  readonly object: KubeObject & { readonly code?: number; readonly message?: string };
}

/** Reads a watch: one JSON event a line. `onEnd` is called exactly once, unless the watch is unsubscribed before. */
export function watchStream<T extends KubeObject>(
  transport: HttpTransport,
  request: ApiRequest,
  handlers: WatchHandlers<T>,
): Unsubscribe {
  const state = { open: true, stop: (): void => {} };
  const end = (code: number, message: string): void => {
    if (state.open) {
      state.open = false;
      state.stop();
      handlers.onEnd({ code, message });
    }
  };
  transport.open(request, 0).then(
    (response) => {
      if (!state.open) {
        response.destroy();
        return;
      }
      state.stop = () => response.destroy();
      const status = response.statusCode ?? 0;
      let rest = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        rest += chunk;
        if (rest.length > maxEventBytes) {
          end(0, `an event is above ${maxEventBytes} bytes`);
          return;
        }
        if (status !== 200) {
          return;
        }
        const lines = rest.split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) {
          if (state.open && line.trim() !== '') {
            take(line, handlers, end);
          }
        }
      });
      response.on('end', () =>
        status === 200 ? end(0, 'the watch ended') : end(status, errorOfStatus(status, rest, request).message),
      );
      response.on('error', (error) => end(0, error.message));
      response.on('close', () => end(0, 'the connection was closed'));
    },
    (error: unknown) => end(0, MeshError.from(error).message),
  );
  return () => {
    state.open = false;
    state.stop();
  };
}

function take<T extends KubeObject>(
  line: string,
  handlers: WatchHandlers<T>,
  end: (code: number, message: string) => void,
): void {
  let event: RawEvent;
  try {
    event = JSON.parse(line) as RawEvent;
  } catch {
    end(0, 'an event is not JSON');
    return;
  }
  switch (event.type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      handlers.onEvent({ type: event.type, object: event.object as unknown as T } satisfies WatchEvent<T>);
      break;
    case 'BOOKMARK':
      handlers.onEvent({ type: 'BOOKMARK', resourceVersion: event.object.metadata.resourceVersion ?? '' });
      break;
    case 'ERROR':
      end(event.object.code ?? 0, event.object.message ?? 'the API ended the watch');
      break;
    default:
      end(0, `an event has the unknown type ${JSON.stringify(event.type)}`);
  }
}
