import type { Endpoint } from '../../endpoint/endpoint.ts';
import type { Hash64 } from '../../load-balancer/hash64.ts';
import type { PickContext } from '../../load-balancer/pick-context.ts';
import { xxHash64 } from '../../load-balancer/xx-hash.ts';
import type { SubsetCriteria } from '../../runtime-config/subsets.ts';

/** How a TCP connection chooses among the endpoints of its cluster: by the address of its client, and in the subset that its listener names. */
export class TcpEndpointChoice implements PickContext<Endpoint> {
  readonly hash: Hash64 | undefined;
  readonly subset: SubsetCriteria | undefined;
  readonly overrideAddress = '';
  readonly isOverrideStrict = false;
  readonly hostSelectionRetries = 0;

  /** @param remoteIp empty: there is nothing to hash. */
  constructor(remoteIp: string, subset: SubsetCriteria | undefined) {
    this.subset = subset;
    if (remoteIp === '') {
      this.hash = undefined;
    } else {
      this.hash = { hi: 0, lo: 0 };
      xxHash64(remoteIp, this.hash);
    }
  }

  shouldSkip(): boolean {
    return false;
  }
}
