import type { AgentBootstrap } from '@weft/agent';
import type { CertificateFiles } from './certificate-files.ts';

/** How often gRPC looks whether the files are new. */
const refreshInterval = '60s';

/**
 * The bootstrap file of gRPC's xDS clients (gRFC A27, A29), which `GRPC_XDS_BOOTSTRAP` names: configuration by the agent's socket, the
 * workload's certificate and the roots of the mesh as files.
 */
export function grpcBootstrap(
  { node }: Pick<AgentBootstrap, 'node'>,
  xdsSocket: string,
  files: CertificateFiles['paths'],
): Record<string, unknown> {
  const { region, zone, subZone } = node.locality;
  return {
    xds_servers: [
      // The socket is its owner's alone; the agent speaks mutual TLS with the control plane.
      {
        server_uri: `unix:${xdsSocket}`,
        channel_creds: [{ type: 'insecure' }],
        server_features: ['xds_v3'],
      },
    ],
    node: {
      id: node.id,
      cluster: node.cluster,
      metadata: node.metadata,
      locality: { region, zone, sub_zone: subZone },
    },
    certificate_providers: {
      default: {
        plugin_name: 'file_watcher',
        config: {
          certificate_file: files.certificate,
          private_key_file: files.privateKey,
          ca_certificate_file: files.roots,
          refresh_interval: refreshInterval,
        },
      },
    },
  };
}
