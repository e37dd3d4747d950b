import { FilterStatus, type FilterStatusCode } from '../filter/http/filter-status.ts';
import type { HttpStream } from '../filter/http/http-stream.ts';
import { localReplies } from '../local-reply.ts';
import { OverloadBit } from './overload-state.ts';

/** Refuses every request while the proxy takes none. */
export function refuseWhenOverloaded(stream: HttpStream): FilterStatusCode {
  const { overload } = stream.manager.context;
  if ((overload.active & OverloadBit.refuseRequests) === 0) {
    return FilterStatus.continue;
  }
  overload.count('envoy.overload_actions.stop_accepting_requests');
  stream.reply(localReplies.overloaded);
  return FilterStatus.replied;
}

/** Refuses a share of the requests whose route does not say that they are important. */
export function shedLowPriority(stream: HttpStream): FilterStatusCode {
  const { overload } = stream.manager.context;
  if ((overload.active & OverloadBit.shedLowPriority) === 0) {
    return FilterStatus.continue;
  }
  if (stream.route?.forward?.priority === 'high' || stream.random() >= overload.shedShare) {
    return FilterStatus.continue;
  }
  overload.count('weft.overload_actions.shed_low_priority_requests');
  stream.reply(localReplies.overloaded);
  return FilterStatus.replied;
}
