import type { BuildVersion, Node } from '@weft/xds-types/envoy/config/core/v3/base.ts';
import type { ClientNode } from './client-state.ts';

/** What a `Node` message says; undefined when it has no id, by which alone a client can be told from others. */
export function clientNodeFrom(message: Node | undefined): ClientNode | undefined {
  if (message === undefined || message.id === '') {
    return undefined;
  }
  const version = message.userAgentVersionType;
  return {
    id: message.id,
    cluster: message.cluster,
    userAgentName: message.userAgentName,
    userAgentVersion:
      version?.$case === 'userAgentVersion'
        ? version.value
        : version?.$case === 'userAgentBuildVersion'
          ? buildVersionText(version.value)
          : '',
    metadata: message.metadata ?? {},
    message,
  };
}

function buildVersionText({ version }: BuildVersion): string {
  return version === undefined ? '' : `${version.majorNumber}.${version.minorNumber}.${version.patch}`;
}
