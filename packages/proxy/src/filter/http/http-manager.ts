import {
  defaultHttp1Limits,
  defaultHttp2Settings,
  type Http1Limits,
  type Http2Settings,
  type RequestRules,
  type ResponseHead,
} from '@weft/http-codec';
import type { ListenerProtocols } from '../../load-report/protocols-seen.ts';
import type { HttpConnectionManagerConfig, ListenerConfig } from '../../runtime-config/config.ts';
import type { FilterStatusCode } from './filter-status.ts';
import { createHttpFilter } from './filters/http-filter.ts';
import type { HttpContext, ManagerCounters } from './http-context.ts';
import { DateText } from './http-context.ts';
import type { HttpStream } from './http-stream.ts';
import { requestSteps } from './request-steps.ts';

/** A connection manager's configuration, made ready for its connections. */
export class HttpManager {
  readonly config: HttpConnectionManagerConfig;
  readonly listener: ListenerConfig;
  readonly context: HttpContext;
  readonly steps: readonly ((stream: HttpStream) => FilterStatusCode)[];
  readonly stepNames: readonly string[];
  /** In the order in which an answer passes them. */
  readonly responseFilters: readonly ((stream: HttpStream, head: ResponseHead) => void)[];
  readonly limits: Http1Limits;
  readonly rules: RequestRules;
  readonly http2Settings: Http2Settings;
  /** For clients that are Weft proxies. */
  readonly http2NamesSettings: Http2Settings;
  /** Protocols that may be upgraded to, in lower case. */
  readonly upgrades: ReadonlySet<string>;
  readonly counters: ManagerCounters;
  readonly protocols: ListenerProtocols;
  readonly date: DateText = new DateText();

  constructor(config: HttpConnectionManagerConfig, listener: ListenerConfig, context: HttpContext) {
    this.config = config;
    this.listener = listener;
    this.context = context;
    this.counters = context.counters.manager(config.statPrefix);
    this.protocols = context.protocols.of(listener.name);
    const wanted = requestSteps.filter((step) => step.wanted(config));
    const filters = config.httpFilters.flatMap((filter) => {
      const made = createHttpFilter(filter);
      return made === undefined ? [] : [{ name: filter.kind, filter: made }];
    });
    const beforeRouter = wanted.slice(0, -1);
    const router = wanted.slice(-1);
    this.steps = [
      ...beforeRouter.map((step) => step.run),
      ...filters.map(({ filter }) => filter.onRequest),
      ...router.map((step) => step.run),
    ];
    this.stepNames = [...beforeRouter, ...filters, ...router].map(({ name }) => name);
    this.responseFilters = filters
      .map(({ filter }) => filter.onResponse)
      .filter((run) => run !== undefined)
      .reverse();
    this.limits = {
      ...defaultHttp1Limits,
      maxHeadBytes:
        config.maxRequestHeadersKb > 0 ? config.maxRequestHeadersKb * 1024 : defaultHttp1Limits.maxHeadBytes,
      maxFields: config.maxHeadersCount > 0 ? config.maxHeadersCount : defaultHttp1Limits.maxFields,
    };
    this.rules = { acceptHttp10: config.acceptHttp10, allowAbsoluteUrl: config.allowAbsoluteUrl };
    const { http2 } = config;
    this.http2Settings = {
      ...defaultHttp2Settings,
      maxConcurrentStreams: http2.maxConcurrentStreams,
      initialStreamWindowBytes: http2.initialStreamWindowBytes,
      initialConnectionWindowBytes: http2.initialConnectionWindowBytes,
      headerTableSizeBytes: http2.headerTableSizeBytes,
      maxHeadBytes: this.limits.maxHeadBytes,
      maxFields: this.limits.maxFields,
      allowExtendedConnect: http2.allowConnect,
    };
    this.http2NamesSettings = { ...this.http2Settings, carryHeaderNames: true };
    this.upgrades = new Set(config.upgrades.map((upgrade) => upgrade.toLowerCase()));
  }
}
