import type { HttpRoute, RedirectAction } from '@weft/ir';
import type { HttpRouteSpec } from '../kinds.ts';
import { httpRulesOf } from '../to-ir/delegation.ts';
import { filtersOf, supportedFilters } from '../to-ir/gateway-api/filters.ts';
import { RulePlaces } from '../to-ir/rule-places.ts';
import { type ExplainedValue, placeText, refTexts } from './effective.ts';
import { answered, lacksOfRoute } from './lacks-without-proxy.ts';
import { describeMatch, tryRoutes } from './match-request.ts';
import { rulesOfOthers } from './passed-over.ts';
import { addStep, type RoutesOfHost, type Walk } from './request-walk.ts';
import { filterValues, timeValues } from './route-settings.ts';
import { goToDestinations } from './walk-destinations.ts';

/** The route that takes the request, and all that follows. */
export function takeRoute(walk: Walk, host: RoutesOfHost): string {
  const verdicts = tryRoutes(host.routes.routes, walk.request);
  const taken = verdicts.find(({ failed }) => failed === undefined)?.route;
  const passedOver = [
    ...rulesOfOthers(walk, host, taken && new RulePlaces(taken).source),
    ...verdicts.flatMap(({ route, failed }) =>
      failed === undefined
        ? []
        : [{ name: route.name, value: failed, origin: placeText(new RulePlaces(route).rule) ?? host.otherwise }],
    ),
  ];
  if (taken === undefined) {
    addStep(walk, 'route', 'no rule matches', refTexts(host.routes.origins), { passedOver });
    return answered(walk, '404 (NR: no route)');
  }
  const conditions = describeMatch(taken.match);
  const origin = placeText(new RulePlaces(taken).rule) ?? host.otherwise;
  const what = conditions.length === 0 ? 'every request' : conditions.join(', ');
  addStep(walk, 'route', `${taken.name}: ${what}`, origin, { passedOver });
  return act(walk, taken, host);
}

function act(walk: Walk, route: HttpRoute, host: RoutesOfHost): string {
  const { action } = route;
  const fields = new RulePlaces(route);
  const filters = [...filterValues(route), ...lacksOfRoute(walk, route)];
  switch (action.kind) {
    case 'direct-response': {
      const origin = placeText(fields.of('directResponse'));
      const values = origin === undefined ? [...whyBroken(walk, fields, host), ...filters] : filters;
      addStep(walk, 'action', `answers ${action.status} itself`, origin ?? placeText(fields.rule) ?? '', { values });
      return answered(walk, String(action.status));
    }
    case 'redirect': {
      const origin = placeText(fields.of('redirect') ?? fields.filter('RequestRedirect')) ?? '';
      addStep(walk, 'action', redirectText(action), origin, { values: filters });
      return answered(walk, String(action.status));
    }
    case 'forward': {
      const values = [...filters, ...timeValues(route, action, walk.state.settings.defaults)];
      addStep(walk, 'action', 'forwards', placeText(fields.rule) ?? host.otherwise, { values });
      goToDestinations(walk, action.destinations, { route, port: host.port, status: action.unresolvedStatus });
      return action.destinations.some(({ resolved }) => resolved)
        ? 'forwarded'
        : answered(walk, String(action.unresolvedStatus));
    }
  }
}

/** Why a rule that should forward answers itself. */
function whyBroken({ state }: Walk, { source }: RulePlaces, { routes }: RoutesOfHost): readonly ExplainedValue[] {
  if (source === undefined) {
    return [];
  }
  const { object, rule } = source;
  if (object.kind === 'VirtualService') {
    const problems = routes.origins.flatMap(({ kind, namespace, name }) => {
      const owner =
        kind === 'VirtualService'
          ? state.object('networking.istio.io/VirtualService', `${namespace}/${name}`)
          : undefined;
      return owner === undefined ? [] : httpRulesOf(state, owner).problems;
    });
    const { delegate } = rule as HttpRouteSpec;
    const reason = delegate === undefined ? ['no destination has a share'] : problems;
    return reason.map((value) => ({ name: 'because', value, origin: '' }));
  }
  const unknown = filtersOf(rule).filter(({ type }) => !supportedFilters.has(type));
  const reasons =
    unknown.length > 0 ? unknown.map(({ type }) => `filter ${type} is not acted upon`) : ['no backend has a share'];
  return reasons.map((value) => ({ name: 'because', value, origin: '' }));
}

function redirectText({ status, scheme, authority, port, path }: RedirectAction): string {
  const where = [
    ...(scheme === undefined ? [] : [`scheme ${scheme}`]),
    ...(authority === undefined ? [] : [`host ${authority}`]),
    ...(port === undefined ? [] : [`port ${port}`]),
    ...(path === undefined ? [] : [`path ${'value' in path ? path.value : path.substitution}`]),
  ];
  return `redirects with ${status}${where.length === 0 ? '' : ` to ${where.join(', ')}`}`;
}
