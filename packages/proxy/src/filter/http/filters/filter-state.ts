import type { HeadFields } from '@weft/http-codec';
import type { HttpStream } from '../http-stream.ts';
import type { MirrorRequest } from '../mirror-request.ts';
import type { FaultFilter } from './fault-filter.ts';
import type { HealthCheckFilter } from './health-check-filter.ts';

/** What filters remember of one request. A stream has one and uses the object again. */
export class FilterState {
  /** The origin that may read the answer; empty: nothing is said about it. */
  corsOrigin = '';
  /** The fault filter whose delay the request waits for. */
  delayedBy: FaultFilter | undefined = undefined;
  /** The filter whose health check the request is. */
  healthCheckedBy: HealthCheckFilter | undefined = undefined;
  /** Fault filters that count the request among those that have a fault. */
  readonly faults: FaultFilter[] = [];

  /** Copies that the rest of the body goes to. */
  readonly mirrors: MirrorRequest[] = [];

  mirrorData(bytes: Buffer, start: number, end: number): void {
    for (const mirror of this.mirrors) {
      mirror.encodeData(bytes, start, end);
    }
  }

  /** The body is complete: the copies go on by themselves. */
  endMirrors(trailers: HeadFields | undefined): void {
    if (this.mirrors.length > 0) {
      for (const mirror of this.mirrors) {
        mirror.onEnd(trailers);
      }
      this.mirrors.length = 0;
    }
  }

  /** The request is over. */
  end(stream: HttpStream): void {
    if (this.faults.length > 0) {
      for (const filter of this.faults) {
        filter.release(stream);
      }
      this.faults.length = 0;
    }
    if (this.mirrors.length > 0) {
      // Those that have all of it are not in the list any more.
      for (const mirror of this.mirrors) {
        mirror.cancel();
      }
      this.mirrors.length = 0;
    }
    this.delayedBy = undefined;
    this.healthCheckedBy = undefined;
    this.corsOrigin = '';
  }
}
