import { Server } from '@grpc/grpc-js';
import type { CertificateAuthority } from '@weft/identity/authority';
import { grpcServerOptions, type XdsServer } from '@weft/xds-server';
import type { ServerCertificate } from '../credentials/server-certificate.ts';
import {
  addFirstCertificateService,
  addRenewalService,
  type CertificateServiceOptions,
} from '../join/certificate-service.ts';
import { bindGrpc } from './bind.ts';
import { RotatingCredentials } from './credentials.ts';

export interface MeshServersOptions {
  readonly host: string;
  readonly xdsPort: number;
  readonly joinPort: number;
  readonly xds: XdsServer;
  readonly certificate: ServerCertificate;
  readonly ca: CertificateAuthority;
  readonly certificates: CertificateServiceOptions;
}

/** The two gRPC servers of the mesh. */
export interface MeshServers {
  readonly xdsPort: number;
  readonly joinPort: number;
  /** Ends the streams and lets calls in flight finish, for at most `timeoutMs`. */
  close(): Promise<void>;
}

/** A CSR and its answer are small. */
const joinServerOptions = {
  'grpc.max_receive_message_length': 64 * 1024,
  'grpc.max_concurrent_streams': 16,
  'grpc.max_connection_idle_ms': 60_000,
  'grpc.max_connection_age_ms': 300_000,
} as const;

/**
 * Binds 7012 (mutual TLS: xDS, load reports, certificate renewal) and 7011 (TLS: the first certificate).
 * @throws MeshError `PORT_IN_USE`, `PERMISSION_DENIED`.
 */
export async function startMeshServers(options: MeshServersOptions): Promise<MeshServers> {
  const { host, certificate, ca } = options;
  const mutual = new RotatingCredentials(certificate.identity, { requireClientCertificate: true });
  const oneSided = new RotatingCredentials(certificate.identity, { requireClientCertificate: false });
  const replace = (): void => {
    mutual.replace(certificate.identity);
    oneSided.replace(certificate.identity);
  };
  const unsubscribe = [certificate.current.subscribe(replace), ca.trustBundle.subscribe(replace)];
  const xdsServer = new Server(grpcServerOptions);
  options.xds.addTo(xdsServer);
  addRenewalService(xdsServer, options.certificates);
  const joinServer = new Server(joinServerOptions);
  addFirstCertificateService(joinServer, options.certificates);
  const close = async (): Promise<void> => {
    for (const end of unsubscribe) {
      end();
    }
    options.xds.close();
    await Promise.all([stop(xdsServer), stop(joinServer)]);
  };
  try {
    const joinPort = await bindGrpc(joinServer, oneSided, {
      host,
      port: options.joinPort,
      what: 'first certificates',
      flag: '--join-port',
    });
    const xdsPort = await bindGrpc(xdsServer, mutual, {
      host,
      port: options.xdsPort,
      what: 'xDS',
      flag: '--xds-port',
    });
    return { xdsPort, joinPort, close };
  } catch (error) {
    await close();
    throw error;
  }
}

const graceMs = 2_000;

function stop(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      server.forceShutdown();
      resolve();
    }, graceMs);
    server.tryShutdown(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
