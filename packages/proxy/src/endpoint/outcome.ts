/** How a try at an endpoint ended. Numbers, so that telling costs nothing. */
export const Outcome = {
  /** A connection was there for it. */
  connected: 0,
  /** The endpoint answered, well or badly. */
  response: 1,
  /** There was no connection: refused, timed out, TLS failed. Of local origin, as the next two. */
  connectFailure: 2,
  /** The connection or the stream broke before the answer. */
  reset: 3,
  /** No answer within the time for one try, or for the request. */
  timeout: 4,
} as const;

export type OutcomeCode = (typeof Outcome)[keyof typeof Outcome];

/** Who wants to know how the tries at an endpoint end: outlier detection. */
export interface OutcomeObserver {
  /**
   * Called once as `connected`, and once more when the try has an end that says something about the endpoint: not when the client
   * went away or a circuit breaker refused. For HTTP it is called when the head of the response comes, for gRPC when its status does,
   * in the head or in the trailers.
   *
   * @param status of a `response`: HTTP's, or what the gRPC status stands for there (14 is 503); else 0.
   * @param grpcStatus of a `response` of gRPC; -1: it is not gRPC, or has none.
   */
  onOutcome(outcome: OutcomeCode, status: number, grpcStatus: number): void;
}
