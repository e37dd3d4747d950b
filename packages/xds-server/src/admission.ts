import type { Clock, Logger } from '@weft/base';
import type { Node } from '@weft/xds-types/envoy/config/core/v3/base.ts';
import { type BytesCall, endCall } from './call.ts';
import { clientNodeFrom } from './client-node.ts';
import type { ConnectedClient } from './client-state.ts';
import type { Admission, XdsServerOptions } from './options.ts';
import { peerOfCall } from './peer-of-call.ts';

/**
 * Decides about a stream by its first message. A stream that is refused has ended when this resolves to undefined.
 * Messages that follow wait in the transport (flow control) until the decision.
 */
export async function admitCall(
  call: BytesCall,
  node: Node | undefined,
  context: { readonly authorize: XdsServerOptions['authorize']; readonly clock: Clock; readonly logger: Logger },
): Promise<ConnectedClient | undefined> {
  const clientNode = clientNodeFrom(node);
  if (clientNode === undefined) {
    endCall(call, 'INVALID_ARGUMENT', 'the first request of a stream must carry a node with an id');
    return undefined;
  }
  const peer = peerOfCall(call);
  let admission: Admission;
  call.pause();
  try {
    admission = await context.authorize(peer, clientNode);
  } catch (error) {
    context.logger.error('authorizing a client failed', { node: clientNode.id, error });
    endCall(call, 'UNAVAILABLE', 'the control plane cannot authorize clients now');
    return undefined;
  }
  if ('reject' in admission) {
    context.logger.warn('a client was refused', {
      node: clientNode.id,
      peer: peer?.spiffeIds,
      reason: admission.message,
    });
    endCall(call, admission.reject, admission.message);
    return undefined;
  }
  call.resume();
  return { key: admission.accept, node: clientNode, peer, connectedAtMs: context.clock.now() };
}
