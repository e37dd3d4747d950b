import { parseWorkloadId } from '@weft/identity';
import type { ClusterConfig } from '../runtime-config/config.ts';
import type { JsonObject } from '../runtime-config/wire/schema.ts';
import type { EndpointInfo, TlsFacts } from '../stream-info.ts';

/** What Istio's metrics say about one side of a request. */
export interface SideLabels {
  readonly workload: string;
  readonly canonicalService: string;
  readonly canonicalRevision: string;
  readonly namespace: string;
  readonly principal: string;
  readonly app: string;
  readonly version: string;
  readonly cluster: string;
}

export interface ServiceLabels {
  readonly host: string;
  readonly name: string;
  readonly namespace: string;
}

export const UNKNOWN = 'unknown';

const unknownSide: SideLabels = {
  workload: UNKNOWN,
  canonicalService: UNKNOWN,
  canonicalRevision: UNKNOWN,
  namespace: UNKNOWN,
  principal: UNKNOWN,
  app: UNKNOWN,
  version: UNKNOWN,
  cluster: UNKNOWN,
};

/** Our own side, from the metadata of the node as Istio's proxies have it. The principal is set where TLS proved it. */
export function ownLabels(metadata: JsonObject): SideLabels {
  const labels = objectOf(metadata['LABELS']);
  const workload = textOf(metadata['WORKLOAD_NAME']) ?? textOf(metadata['NAME']) ?? UNKNOWN;
  const app = textOf(labels['app']) ?? textOf(labels['app.kubernetes.io/name']);
  const version = textOf(labels['version']) ?? textOf(labels['app.kubernetes.io/version']);
  return {
    workload,
    canonicalService: textOf(labels['service.istio.io/canonical-name']) ?? app ?? workload,
    canonicalRevision: textOf(labels['service.istio.io/canonical-revision']) ?? version ?? 'latest',
    namespace: textOf(metadata['NAMESPACE']) ?? UNKNOWN,
    principal: UNKNOWN,
    app: app ?? UNKNOWN,
    version: version ?? UNKNOWN,
    cluster: textOf(metadata['CLUSTER_ID']) ?? UNKNOWN,
  };
}

/**
 * A peer that connected to us. Its certificate proves the principal and with it the namespace; nothing that it could send
 * proves which workload of that service account it is, so the other labels stay `unknown`.
 */
export function downstreamPeerLabels(tls: TlsFacts | undefined): SideLabels {
  if (tls === undefined || !tls.peerVerified || tls.peerUri === '') {
    return unknownSide;
  }
  const identity = parseWorkloadId(tls.peerUri);
  return { ...unknownSide, principal: tls.peerUri, namespace: identity?.namespace ?? UNKNOWN };
}

/** A peer that we connected to: what the control plane says about the endpoint, and the identity that TLS proved. */
export function upstreamPeerLabels(endpoint: EndpointInfo | undefined, tls: TlsFacts | undefined): SideLabels {
  const workload = endpoint?.config.workload;
  const principal = tls?.peerVerified === true && tls.peerUri !== '' ? tls.peerUri : UNKNOWN;
  if (workload === undefined) {
    return principal === UNKNOWN ? unknownSide : { ...unknownSide, principal };
  }
  return {
    workload: workload.workload,
    canonicalService: workload.canonicalName,
    canonicalRevision: workload.canonicalRevision,
    namespace: workload.namespace,
    principal,
    app: UNKNOWN,
    version: UNKNOWN,
    cluster: workload.cluster,
  };
}

/** Which service was meant, by the cluster; names that clients send are not believed (they would be without bound). */
export function serviceLabels(cluster: ClusterConfig | undefined): ServiceLabels {
  const metadata = cluster?.metadata;
  return {
    host: metadata?.destinationHost ?? UNKNOWN,
    name: metadata?.destinationName ?? metadata?.destinationHost ?? UNKNOWN,
    namespace: metadata?.destinationNamespace ?? UNKNOWN,
  };
}

function objectOf(value: JsonObject[string] | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

function textOf(value: JsonObject[string] | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
