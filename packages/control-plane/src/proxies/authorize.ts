import { formatWorkloadId, parseWorkloadId, type SpiffeId } from '@weft/identity';
import type { MeshState } from '@weft/translate';
import type { Admission, ClientNode, Peer } from '@weft/xds-server';

/** `<namespace>/<name>`, each a Kubernetes name. */
const nodeIdPattern = /^([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)\/([a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?)$/;

/** The identity that a Proxy object must prove; undefined when there is no such object. */
export function identityOfProxy(state: MeshState, proxyKey: string, trustDomain: string): SpiffeId | undefined {
  const proxy = state.proxy(proxyKey);
  const namespace = proxy?.metadata.namespace;
  if (proxy === undefined || namespace === undefined) {
    return undefined;
  }
  return formatWorkloadId({ trustDomain, namespace, serviceAccount: proxy.spec.serviceAccount });
}

/**
 * Decides about a stream: the node must be a Proxy object, and the peer must have proved that Proxy's service account. Whoever
 * asks for another one's configuration learns no more than that it is not theirs.
 */
export function authorizeProxy(
  state: MeshState,
  trustDomain: string,
  peer: Peer | undefined,
  node: Pick<ClientNode, 'id'>,
): Admission {
  const [spiffeId, ...more] = peer?.spiffeIds ?? [];
  const workload = spiffeId === undefined || more.length > 0 ? undefined : parseWorkloadId(spiffeId);
  if (spiffeId === undefined || workload === undefined) {
    return { reject: 'UNAUTHENTICATED', message: 'the client certificate is not the SVID of a workload' };
  }
  if (workload.trustDomain !== trustDomain) {
    return { reject: 'PERMISSION_DENIED', message: `${spiffeId} is not of the trust domain ${trustDomain}` };
  }
  if (!nodeIdPattern.test(node.id)) {
    return {
      reject: 'INVALID_ARGUMENT',
      message: `node id ${JSON.stringify(node.id.slice(0, 100))} is not of the form <namespace>/<proxy name>`,
    };
  }
  if (identityOfProxy(state, node.id, trustDomain) !== spiffeId) {
    return {
      reject: 'PERMISSION_DENIED',
      message: `${spiffeId} may not be the proxy ${node.id}: there is no Proxy of that name with this service account`,
    };
  }
  return { accept: node.id };
}
