import type { HttpRoute } from '@weft/ir';
import type { KubeHttpRouteFilter, KubeHttpRouteRule } from '@weft/resources';
import type { HttpRouteSpec } from '../kinds.ts';
import type { Place } from '../origin.ts';
import { filtersOf, mirrorShare, onlyBackend } from './gateway-api/filters.ts';
import { hostFromHeaders } from './header-edits.ts';
import { sharesOf } from './http-routes.ts';
import { mirrorSpecs } from './mirrors.ts';
import { type RouteSource, type RuleSource, sourceOf } from './rule-source.ts';

/** Finds where the fields stand that a route was made of. Of all: undefined when no rule says it. */
export class RulePlaces {
  /** Undefined: no rule is behind the route. */
  readonly source: RouteSource | undefined;
  /** The rule, then that which delegates to it. */
  readonly #rules: readonly RuleSource[];

  constructor(route: HttpRoute) {
    this.source = sourceOf(route);
    this.#rules = [this.source, this.source?.delegatedBy].filter((rule) => rule !== undefined);
  }

  /** The rule, and which of its conditions. */
  get rule(): Place | undefined {
    if (this.source === undefined) {
      return undefined;
    }
    const { object, path, match } = this.source;
    return { object, path: match === undefined ? path : `${path}.${match}` };
  }

  /** The first of the fields (`retries.attempts`) that is written. */
  of(...fields: readonly string[]): Place | undefined {
    return this.#first((rule) => fields.find((field) => isWritten(rule, field.split('.'))));
  }

  /** The first of the fields that the policy for the rule has (`fault.delay`). */
  policy(...fields: readonly string[]): Place | undefined {
    const object = this.source?.policy;
    const field = object && fields.find((each) => isWritten(object.spec, each.split('.')));
    return object === undefined || field === undefined ? undefined : { object, path: `spec.${field}` };
  }

  /** The first filter of Gateway API that is of the type. */
  filter(type: string): Place | undefined {
    return this.#first((rule) => filterPlaces(rule).find(({ filter }) => filter.type === type)?.place);
  }

  /** Edits of headers of Istio that set a new host. */
  get hostHeader(): Place | undefined {
    return this.#first((rule) => {
      const { headers, route = [] } = rule as HttpRouteSpec;
      const [only, ...others] = route;
      const isOfDestination = others.length === 0 && hostFromHeaders(only?.headers) !== undefined;
      const field = 'headers.request.set';
      return isOfDestination ? `route[0].${field}` : hostFromHeaders(headers) === undefined ? undefined : field;
    });
  }

  /** Which destination of the rule one of the IR is, where shares without traffic are left out. */
  destinationPlace(index: number): number | undefined {
    const { route } = (this.source?.rule ?? {}) as HttpRouteSpec;
    const { backendRefs = [] } = (this.source?.rule ?? {}) as KubeHttpRouteRule;
    const shares = route === undefined ? backendRefs.map(({ weight = 1 }) => weight) : sharesOf(route);
    return shares.flatMap((share, place) => (share === 0 ? [] : [place]))[index];
  }

  /** @param index in the IR. */
  destination(index: number): Place | undefined {
    const place = this.destinationPlace(index);
    const list = this.source?.object.kind === 'VirtualService' ? 'route' : 'backendRefs';
    return this.source === undefined || place === undefined
      ? undefined
      : { object: this.source.object, path: `${this.source.path}.${list}[${place}]` };
  }

  /** @param index in the IR, where mirrors without a share are left out. */
  mirror(index: number): Place | undefined {
    return this.#first((rule) => {
      const copies = filterPlaces(rule).filter(
        ({ filter: { requestMirror } }) => requestMirror !== undefined && mirrorShare(requestMirror) > 0,
      );
      return mirrorSpecs(rule as HttpRouteSpec)[index]?.field ?? copies[index]?.place;
    });
  }

  #first(find: (rule: object) => string | undefined): Place | undefined {
    for (const { object, path, rule } of this.#rules) {
      const field = find(rule);
      if (field !== undefined) {
        return { object, path: `${path}.${field}` };
      }
    }
    return undefined;
  }
}

/** The filters that count for all requests of a rule of Gateway API, with where they stand. */
function filterPlaces(
  rule: KubeHttpRouteRule,
): readonly { readonly filter: KubeHttpRouteFilter; readonly place: string }[] {
  const backend = onlyBackend(rule);
  const ofBackend: readonly object[] = backend?.filters ?? [];
  const refs: readonly object[] = rule.backendRefs ?? [];
  return filtersOf(rule).map((filter) => {
    const own = (rule.filters ?? []).indexOf(filter);
    const list = own < 0 && backend !== undefined ? `backendRefs[${refs.indexOf(backend)}].filters` : 'filters';
    return { filter, place: `${list}[${own < 0 ? ofBackend.indexOf(filter) : own}]` };
  });
}

/** Whether something stands at a path; an empty text says nothing. */
function isWritten(rule: object, path: readonly string[]): boolean {
  let found: unknown = rule;
  for (const step of path) {
    found = (found as Readonly<Record<string, unknown>> | undefined)?.[step];
  }
  return found !== undefined && found !== '';
}
