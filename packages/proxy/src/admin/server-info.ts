import type { JsonObject } from '../runtime-config/wire/schema.ts';
import type { AdminContext } from './admin-context.ts';

/** `envoy.admin.v3.ServerInfo` */
export function serverInfo(context: AdminContext): JsonObject {
  const { node } = context.bootstrap;
  const uptime = `${Math.round(process.uptime())}s`;
  return {
    version: `weft/${context.version}/node/${process.version}`,
    state: context.state(),
    hot_restart_version: 'disabled',
    uptime_current_epoch: uptime,
    uptime_all_epochs: uptime,
    node: {
      id: node.id,
      cluster: node.cluster,
      metadata: node.metadata,
      locality: { region: node.locality.region, zone: node.locality.zone, sub_zone: node.locality.subZone },
      user_agent_name: 'weft',
    },
  };
}
