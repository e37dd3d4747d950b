/** One step of a request's way through the configuration of a proxy. */
export interface ExplainedStep {
  /** `listener`, `host`, `route`, `action`, `destination` or `endpoints`. */
  readonly title: string;
  /** What was found, one sentence. */
  readonly result: string;
  /** Where that is written: `VirtualService shop/reviews spec.http[1]`; empty: nobody wrote it. */
  readonly origin: string;
  /** What was looked at before, why it was not taken, and where it stands. */
  readonly passedOver: readonly ExplainedValue[];
  /** What is in force here: timeouts, retries, balancing, … */
  readonly values: readonly ExplainedValue[];
}

/** What a proxy makes of one request. */
export interface RequestExplanation {
  /** `<namespace>/<name>` of the proxy. */
  readonly proxy: string;
  readonly steps: readonly ExplainedStep[];
  /** What the client gets: `forwarded`, `answered 404 …`. */
  readonly outcome: string;
}

/** One value that is in force. */
export interface ExplainedValue {
  readonly name: string;
  readonly value: string;
  /** `DestinationRule shop/reviews spec.trafficPolicy.tls`, `mesh default (istio)`; empty: it is no setting. */
  readonly origin: string;
}

export interface ExplainedSection {
  readonly title: string;
  readonly values: readonly ExplainedValue[];
}

/** The values in force for a service or for the proxy of a workload, with where each comes from. */
export interface EffectiveExplanation {
  /** `Service shop/reviews`, `Proxy shop/reviews-v1`. */
  readonly subject: string;
  /** Whose view it is. */
  readonly from: string;
  readonly sections: readonly ExplainedSection[];
}
