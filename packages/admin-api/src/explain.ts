/** One step of a request's way through the configuration of a proxy. */
export interface ExplainedStep {
  /** `listener`, `host`, `route`, `action` or `destination`. */
  readonly title: string;
  /** What was found, one sentence. */
  readonly result: string;
  /** Facts, a line each. */
  readonly details: readonly string[];
  /** Resources that it comes from: `VirtualService shop/reviews`. */
  readonly origins: readonly string[];
}

/** What a proxy makes of one request. */
export interface RequestExplanation {
  /** `<namespace>/<name>` of the proxy. */
  readonly proxy: string;
  readonly steps: readonly ExplainedStep[];
  /** What the client gets: `forwarded`, `answered 404 …`. */
  readonly outcome: string;
}
