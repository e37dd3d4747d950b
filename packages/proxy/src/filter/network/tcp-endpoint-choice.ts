import type { Endpoint } from '../../endpoint/endpoint.ts';
import type { Hash64 } from '../../load-balancer/hash64.ts';
import type { PickContext } from '../../load-balancer/pick-context.ts';
import { xxHash64 } from '../../load-balancer/xx-hash.ts';

/** How a TCP connection chooses among the endpoints of a cluster that goes by hashes: by the address of its client. */
export class TcpEndpointChoice implements PickContext<Endpoint> {
  readonly hash: Hash64 = { hi: 0, lo: 0 };
  readonly overrideAddress = '';
  readonly isOverrideStrict = false;
  readonly hostSelectionRetries = 0;

  constructor(remoteIp: string) {
    xxHash64(remoteIp, this.hash);
  }

  shouldSkip(): boolean {
    return false;
  }
}
