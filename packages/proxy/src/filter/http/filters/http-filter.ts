import type { ResponseHead } from '@weft/http-codec';
import type { HttpFilterConfig } from '../../../runtime-config/config.ts';
import type { FilterStatusCode } from '../filter-status.ts';
import type { HttpStream } from '../http-stream.ts';
import { CorsFilter } from './cors-filter.ts';
import { FaultFilter } from './fault-filter.ts';
import { HeaderMutationFilter } from './header-mutation-filter.ts';
import { HealthCheckFilter } from './health-check-filter.ts';
import { StatefulSessionFilter } from './stateful-session-filter.ts';

/** A filter between the choice of the route and the router, in the order of the configuration; answers pass it in the reverse order. */
export interface HttpFilter {
  readonly onRequest: (stream: HttpStream) => FilterStatusCode;
  /** The head of an answer, an upstream's or our own, before the connection manager completes it. */
  readonly onResponse: ((stream: HttpStream, head: ResponseHead) => void) | undefined;
}

/** Undefined for those that have a step of their own. */
export function createHttpFilter(config: HttpFilterConfig): HttpFilter | undefined {
  switch (config.kind) {
    case 'cors':
      return new CorsFilter(config.name, config.disabled);
    case 'fault':
      return new FaultFilter(config.name, config.disabled, config.fault);
    case 'health-check':
      return new HealthCheckFilter(config.healthCheck);
    case 'header-mutation':
      return new HeaderMutationFilter(config.name, config.disabled, config.mutations, config.mostSpecificWins);
    case 'stateful-session':
      return new StatefulSessionFilter(config.name, config.disabled, config.session);
    default:
      return undefined;
  }
}
