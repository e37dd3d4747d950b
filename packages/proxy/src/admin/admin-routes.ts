import type { LogLevel } from '@weft/base';
import type { AdminContext } from './admin-context.ts';
import { certificatesJson } from './certificates.ts';
import { clustersJson, clustersText } from './clusters.ts';
import { configDump } from './config-dump.ts';
import { listenersJson, listenersText } from './listeners.ts';
import { serverInfo } from './server-info.ts';
import { envoyStatsText } from './stats-text.ts';

export interface AdminReply {
  /** Default 200. */
  readonly status?: number;
  readonly body: string;
  /** Default plain text. */
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

interface AdminRoute {
  readonly method: 'GET' | 'POST';
  handle(context: AdminContext, query: URLSearchParams): AdminReply | Promise<AdminReply>;
}

const json = (value: unknown): AdminReply => ({
  body: `${JSON.stringify(value, undefined, 1)}\n`,
  contentType: 'application/json',
});
const metrics = (context: AdminContext): AdminReply => ({
  body: context.metricsText(),
  contentType: 'text/plain; version=0.0.4; charset=utf-8',
});
const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];
/** Envoy's names for the levels that we have under another one. */
const levelAliases: Readonly<Record<string, LogLevel>> = { trace: 'debug', warning: 'warn', critical: 'error' };

const get = (handle: AdminRoute['handle']): AdminRoute => ({ method: 'GET', handle });
const post = (handle: AdminRoute['handle']): AdminRoute => ({ method: 'POST', handle });

/** The paths of the admin API, with Envoy's names where Envoy has them. */
export const adminRoutes: ReadonlyMap<string, AdminRoute> = new Map<string, AdminRoute>([
  ['/ready', get((context) => ({ status: context.state() === 'LIVE' ? 200 : 503, body: `${context.state()}\n` }))],
  ['/livez', get(() => ({ body: 'OK\n' }))],
  ['/server_info', get((context) => json(serverInfo(context)))],
  ['/config_dump', get((context, query) => json(configDump(context, query.has('include_eds'))))],
  [
    '/clusters',
    get((context, query) =>
      query.get('format') === 'json' ? json(clustersJson(context)) : { body: clustersText(context) },
    ),
  ],
  [
    '/listeners',
    get((context, query) =>
      query.get('format') === 'json' ? json(listenersJson(context)) : { body: listenersText(context) },
    ),
  ],
  ['/certs', get((context) => json(certificatesJson(context)))],
  [
    '/stats',
    get((context, query) =>
      query.get('format') === 'prometheus' ? metrics(context) : { body: envoyStatsText(context.metricsText()) },
    ),
  ],
  ['/stats/prometheus', get(metrics)],
  ['/metrics', get(metrics)],
  [
    '/drain',
    post(async (context) => {
      await context.drainInbound();
      return { body: 'OK\n' };
    }),
  ],
  ['/logging', post(setLevel)],
  [
    '/reopen_logs',
    post((context) => {
      context.reopenLogs();
      return { body: 'OK\n' };
    }),
  ],
  [
    '/quitquitquit',
    post((context) => {
      context.quit();
      return { body: 'OK\n' };
    }),
  ],
]);

function setLevel(context: AdminContext, query: URLSearchParams): AdminReply {
  const asked = query.get('level');
  if (asked !== null) {
    const level = levels.find((candidate) => candidate === asked) ?? levelAliases[asked];
    if (level === undefined) {
      return { status: 400, body: `level is one of ${levels.join(', ')}\n` };
    }
    context.setLogLevel(level);
  }
  return { body: `active loggers:\n  weft: ${context.logLevel()}\n` };
}
