import { defaultHttp2Settings, type Http2Settings } from '@weft/http-codec';
import type { Cluster } from '../cluster/cluster.ts';
import { weftAlpn } from '../http-alpn.ts';

/** What a connection of HTTP/2 to a cluster begins with. @param alpn what its TLS agreed on. */
export function http2SettingsOf({ config }: Cluster, alpn: string | undefined): Http2Settings {
  const { initialStreamWindowBytes, initialConnectionWindowBytes, headerTableSizeBytes } = config.upstreamHttp.http2;
  return {
    ...defaultHttp2Settings,
    initialStreamWindowBytes,
    initialConnectionWindowBytes,
    headerTableSizeBytes,
    ...(alpn === weftAlpn ? { carryHeaderNames: true } : {}),
  };
}
