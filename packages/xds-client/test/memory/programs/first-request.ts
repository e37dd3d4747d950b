import { typeUrls } from '@weft/xds-types';
import { Node } from '@weft/xds-types/envoy/config/core/v3/base.ts';
import { DeltaDiscoveryRequest } from '@weft/xds-types/envoy/service/discovery/v3/discovery.ts';

const empty = new Uint8Array(0);
export const node: Node = { ...Node.decode(empty), id: 'n' };
export const firstRequest: Uint8Array = DeltaDiscoveryRequest.encode({
  ...DeltaDiscoveryRequest.decode(empty),
  node,
  typeUrl: typeUrls.cluster,
}).finish();
