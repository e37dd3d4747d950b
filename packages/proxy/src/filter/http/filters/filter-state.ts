import type { HttpStream } from '../http-stream.ts';
import type { FaultFilter } from './fault-filter.ts';

/** What filters remember of one request. A stream has one and uses the object again. */
export class FilterState {
  /** The origin that may read the answer; empty: nothing is said about it. */
  corsOrigin = '';
  /** The fault filter whose delay the request waits for. */
  delayedBy: FaultFilter | undefined = undefined;
  /** Fault filters that count the request among those that have a fault. */
  readonly faults: FaultFilter[] = [];

  /** The request is over. */
  end(stream: HttpStream): void {
    if (this.faults.length > 0) {
      for (const filter of this.faults) {
        filter.release(stream);
      }
      this.faults.length = 0;
    }
    this.delayedBy = undefined;
    this.corsOrigin = '';
  }
}
