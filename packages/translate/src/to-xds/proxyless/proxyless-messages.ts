import type { WorkloadIr } from '@weft/ir';
import type { XdsMessage } from '../message.ts';
import { grpcClusterMessage } from './grpc-cluster.ts';
import { grpcTargetMessage } from './grpc-target.ts';
import { nowhereMessages } from './nowhere.ts';

/**
 * What gRPC's own xDS clients ask for: a listener for each name that is dialled, with its routes, and the clusters that those lead to.
 * Only what gRPC reads is in them, as its libraries refuse a whole resource for one field that they do not know (gRFC A27 to A60).
 */
export function proxylessMessages(ir: WorkloadIr): XdsMessage[] {
  return [...nowhereMessages, ...ir.clusters.map(grpcClusterMessage), ...(ir.grpcTargets ?? []).map(grpcTargetMessage)];
}
