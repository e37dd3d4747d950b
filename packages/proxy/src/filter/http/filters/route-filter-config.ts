import type { RouteFilterConfig, RouteFilterConfigs } from '../../../runtime-config/config.ts';
import type { HttpStream } from '../http-stream.ts';

/** What the most specific of weighted cluster, route, virtual host and table says about a filter. */
export function routeFilterConfig(stream: HttpStream, name: string): RouteFilterConfig | undefined {
  const { route, choice, table } = stream;
  if (route === undefined) {
    return undefined;
  }
  return (
    choice?.config.filterConfigs?.get(name) ??
    found(route.config.filterConfigs, name) ??
    found(route.virtualHost.filterConfigs, name) ??
    (table === undefined ? undefined : found(table.config.filterConfigs, name))
  );
}

/** What all of them say, the most specific first. */
export function allRouteFilterConfigs(stream: HttpStream, name: string): RouteFilterConfig[] {
  const { route, choice, table } = stream;
  if (route === undefined) {
    return [];
  }
  return [
    choice?.config.filterConfigs,
    route.config.filterConfigs,
    route.virtualHost.filterConfigs,
    table?.config.filterConfigs,
  ]
    .map((configs) => configs?.get(name))
    .filter((config) => config !== undefined);
}

function found(configs: RouteFilterConfigs, name: string): RouteFilterConfig | undefined {
  return configs.size === 0 ? undefined : configs.get(name);
}

/** Whether the filter works for a route that says `config` about it. */
export function isEnabled(disabled: boolean, config: RouteFilterConfig | undefined): boolean {
  return config === undefined ? !disabled : config.kind !== 'disabled';
}
