import type { HttpRoute } from '@weft/ir';
import type { Client, MeshState } from '../state/mesh-state.ts';
import type { ServiceModel, ServicePortModel } from '../state/service-model.ts';
import { httpRoutes } from '../to-ir/http-routes.ts';
import { RulePlaces } from '../to-ir/rule-places.ts';
import { type ExplainedValue, originText, placeText, shareText } from './effective.ts';
import { describeMatch } from './match-request.ts';
import { filterValues, timeValues } from './route-settings.ts';

/** The routes of one port as a client has them: each with what it takes, where it leads, what it does, its timeouts and its retries. */
export function routeValues(
  state: MeshState,
  client: Client,
  service: ServiceModel,
  port: ServicePortModel,
): readonly ExplainedValue[] {
  const requested = { host: service.host, port: port.number, service: { model: service, port }, authority: undefined };
  const found = httpRoutes(state, client, requested);
  return (found?.routes.routes ?? []).flatMap((route): readonly ExplainedValue[] => {
    const conditions = describeMatch(route.match);
    const { action } = route;
    const settings = action.kind === 'forward' ? timeValues(route, action, state.settings.defaults) : [];
    return [
      {
        name: route.name,
        value: `${conditions.length === 0 ? 'every request' : conditions.join(', ')} → ${actionText(route)}`,
        origin: placeText(new RulePlaces(route).rule) ?? originText(service.object),
      },
      ...[...filterValues(route), ...settings].map((value) => ({ ...value, name: `  ${value.name}` })),
    ];
  });
}

function actionText({ action }: HttpRoute): string {
  switch (action.kind) {
    case 'direct-response':
      return `answers ${action.status}`;
    case 'redirect':
      return `redirects with ${action.status}`;
    case 'forward':
      return action.destinations
        .map((destination, _, all) => {
          const share = all.length === 1 ? '' : `${shareText(destination, all)} `;
          const missing = destination.resolved ? '' : ` (does not exist: ${action.unresolvedStatus})`;
          return `${share}${destination.cluster}${missing}`;
        })
        .join(', ');
  }
}
