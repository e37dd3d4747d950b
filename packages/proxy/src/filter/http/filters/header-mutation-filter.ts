import type { HeadFields, ResponseHead } from '@weft/http-codec';
import { applyHeaderEdits, type CompiledHeaderEdits, compileMutations } from '../../../route/header-edits.ts';
import type { HeaderMutation, HeaderMutations } from '../../../runtime-config/config.ts';
import { FilterStatus, type FilterStatusCode } from '../filter-status.ts';
import type { HttpStream } from '../http-stream.ts';
import type { HttpFilter } from './http-filter.ts';
import { allRouteFilterConfigs, isEnabled, routeFilterConfig } from './route-filter-config.ts';

/** `envoy.filters.http.header_mutation`: edits of its own, then those of table, virtual host, route and weighted cluster. */
export class HeaderMutationFilter implements HttpFilter {
  readonly #name: string;
  readonly #disabled: boolean;
  readonly #own: HeaderMutations;
  readonly #mostSpecificWins: boolean;

  constructor(name: string, disabled: boolean, own: HeaderMutations, mostSpecificWins: boolean) {
    this.#name = name;
    this.#disabled = disabled;
    this.#own = own;
    this.#mostSpecificWins = mostSpecificWins;
  }

  readonly onRequest = (stream: HttpStream): FilterStatusCode => {
    this.#mutate(stream, stream.head, 'request');
    return FilterStatus.continue;
  };

  readonly onResponse = (stream: HttpStream, head: ResponseHead): void => {
    stream.info.responseHeaders = head;
    stream.info.responseCode = head.status;
    this.#mutate(stream, head, 'response');
  };

  #mutate(stream: HttpStream, fields: HeadFields, direction: keyof HeaderMutations): void {
    if (!isEnabled(this.#disabled, routeFilterConfig(stream, this.#name))) {
      return;
    }
    applyMutations(this.#own[direction], fields, stream);
    const ofRoute = allRouteFilterConfigs(stream, this.#name);
    for (const config of this.#mostSpecificWins ? ofRoute.reverse() : ofRoute) {
      if (config.kind === 'header-mutation') {
        applyMutations(config.mutations[direction], fields, stream);
      }
    }
  }
}

const compiled = new WeakMap<readonly HeaderMutation[], CompiledHeaderEdits>();

/** Does the mutations, in order. */
export function applyMutations(mutations: readonly HeaderMutation[], fields: HeadFields, stream: HttpStream): void {
  if (mutations.length === 0) {
    return;
  }
  let edits = compiled.get(mutations);
  if (edits === undefined) {
    edits = compileMutations(mutations);
    compiled.set(mutations, edits);
  }
  applyHeaderEdits(edits, fields, stream.info);
}
